#pragma once

#include "storage/file.hpp"
#include "storage/lmdb_pages.hpp"

#include <functional>
#include <string>
#include <vector>

/// Walking the trees of an LMDB file by reading it, so that no damage ends in a signal. Private to
/// storage/lmdb_*.
namespace troupe::storage::lmdb {

/// What was found in one tree.
struct tree_count {
  std::uint64_t branch_pages = 0, leaf_pages = 0, overflow_pages = 0, entries = 0;
  std::uint64_t bytes = 0; ///< Of keys and values.
  bool broken = false;     ///< Something is missing: a page could not be used.
  bool cut_off = false;    ///< It was one of the tree, not of a large row: rows are out of reach.
  bool stopped = false;    ///< The visitor has had enough.
};

/// Walks trees as one transaction left them.
class walker {
public:
  /// A row, with the page where it is. False ends the walk behind it.
  using visitor = std::function<bool(const node& row, core::byte_view value, page_number page)>;
  /// Something is wrong at a page, near a key that may be empty.
  using teller = std::function<void(page_number page, core::byte_view key, std::string what)>;

  walker(const file& from, const meta& at, teller tell);

  /// Visits all rows whose keys are greater than `after`, or all, in order; checks pages, their
  /// order and, after a whole walk, what the tree says of itself. Errors: `io_failed`.
  result<tree_count> walk(const tree& in, core::byte_view after, const visitor& visit);

  /// Pages that must not be used for anything else. Reports one that is.
  void claim(page_number first, std::uint64_t count, core::byte_view near);

private:
  struct bounds {
    core::byte_view low, high;
    bool has_low = false, has_high = false;
  };
  struct step {
    const tree* in;
    core::byte_view after;
    const visitor* visit;
    tree_count count;
  };

  status descend(step& x, page_number at, unsigned depth, const bounds& within);
  status descend_children(step& x, const page& in, unsigned depth, const bounds& within);
  status visit_rows(step& x, const page& in, page_number at);
  status visit_row(step& x, const node& row, page_number at);
  bool check_layout(const page& in, page_number at, const bounds& within, const tree& of);
  result<core::byte_view> big_value(step& x, const node& row, page_number at);
  void compare_counts(const tree& said, const tree_count& found);
  status read_pages(core::bytes& into, page_number first, std::uint64_t bytes);

  const file& from_;
  meta at_;
  teller tell_;
  std::vector<core::bytes> levels_; ///< One page for each level of the tree.
  core::bytes big_;
  std::vector<bool> claimed_;
};

} // namespace troupe::storage::lmdb
