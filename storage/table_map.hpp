#pragma once

#include "core/bytes.hpp"

#include <cstdint>
#include <memory>

namespace troupe::storage {

/// Rows in the order of their keys' bytes. A copy costs nothing and keeps what it shows while the
/// other one changes; a change makes as many new nodes as the tree is deep (a treap whose
/// priorities are hashes of the keys). One thread changes a map; others may read its copies.
class table_map {
public:
  struct row {
    core::bytes key, value;
  };
  using row_ptr = std::shared_ptr<const row>;

  /// The row of a key; nothing if there is none.
  row_ptr find(core::byte_view key) const;
  /// The first row whose key is not less than `key`, or greater than it.
  row_ptr not_below(core::byte_view key) const;
  row_ptr above(core::byte_view key) const;
  /// The last row whose key is less than `key`.
  row_ptr below(core::byte_view key) const;

  /// Adds a row or takes it for the one with its key.
  void put(row_ptr x);
  /// Removes the row of a key that is there.
  void erase(core::byte_view key);

private:
  struct node;
  using node_ptr = std::shared_ptr<const node>;

  static node_ptr with(const node_ptr& in, const row_ptr& x, std::uint64_t priority);
  static node_ptr without(const node_ptr& in, core::byte_view key);
  static node_ptr joined(const node_ptr& low, const node_ptr& high);

  node_ptr root_;
};

/// Compares as the tables do: byte by byte, the shorter one first. Negative, 0 or positive.
int compare_keys(core::byte_view a, core::byte_view b) noexcept;

} // namespace troupe::storage
