#include "storage/lmdb_walk.hpp"

#include "storage/table_map.hpp"

#include <algorithm>

namespace troupe::storage::lmdb {

namespace {

constexpr unsigned depth_max = 32; ///< LMDB's own bound of a cursor.

/// As the tree compares: numbers in the tree of free pages, bytes elsewhere.
int compare(const tree& in, core::byte_view a, core::byte_view b) {
  if (in.flags != integer_keys || a.size() != 8 || b.size() != 8)
    return compare_keys(a, b);
  auto x = number_at<std::uint64_t>(a, 0), y = number_at<std::uint64_t>(b, 0);
  return x < y ? -1 : x > y;
}

} // namespace

walker::walker(const file& from, const meta& at, teller tell)
    : from_(from),
      at_(at),
      tell_(std::move(tell)),
      levels_(depth_max),
      claimed_(at.last_page + 1) {}

result<tree_count> walker::walk(const tree& in, core::byte_view after, const visitor& visit) {
  step x{&in, after, &visit, {}};
  if (in.root == no_page) {
    if (in.entries != 0)
      tell_(0, {}, "a tree of " + std::to_string(in.entries) + " rows has no pages");
    return x.count;
  }
  if (in.depth == 0 || in.depth > depth_max) {
    tell_(in.root, {}, "a tree is " + std::to_string(in.depth) + " pages deep");
    x.count.broken = x.count.cut_off = true;
    return x.count;
  }
  if (auto done = descend(x, in.root, 1, {}); !done)
    return done.error();
  if (after.empty() && !x.count.stopped && !x.count.broken)
    compare_counts(in, x.count);
  return x.count;
}

void walker::compare_counts(const tree& said, const tree_count& found) {
  auto same = [&](const char* what, std::uint64_t a, std::uint64_t b) {
    if (a != b)
      tell_(said.root, {},
            std::string{"a tree has "} + std::to_string(b) + " " + what + ", but says "
                + std::to_string(a));
  };
  same("rows", said.entries, found.entries);
  same("branch pages", said.branch_pages, found.branch_pages);
  same("leaf pages", said.leaf_pages, found.leaf_pages);
  same("overflow pages", said.overflow_pages, found.overflow_pages);
}

void walker::claim(page_number first, std::uint64_t count, core::byte_view near) {
  for (auto page = first; page < first + count; ++page) {
    if (page < 2 || page >= claimed_.size())
      return tell_(page, near, "a page is not in the file");
    if (claimed_[page])
      return tell_(page, near, "a page is used twice");
    claimed_[page] = true;
  }
}

status walker::read_pages(core::bytes& into, page_number first, std::uint64_t bytes) {
  into.resize(bytes);
  auto got = from_.read(into, first * at_.page_bytes());
  if (!got)
    return got.error();
  std::fill(into.begin() + static_cast<std::ptrdiff_t>(*got), into.end(), std::uint8_t{0});
  return {};
}

status walker::descend(step& x, page_number at, unsigned depth, const bounds& within) {
  auto broken = [&](std::string what) {
    tell_(at, within.low, std::move(what));
    x.count.broken = x.count.cut_off = true;
    return status{};
  };
  if (at < 2 || at > at_.last_page)
    return broken("a page is not in the file");
  if (claimed_[at])
    return broken("a page is used twice");
  claimed_[at] = true;
  auto& data = levels_[depth - 1];
  if (auto got = read_pages(data, at, at_.page_bytes()); !got)
    return got;
  auto found = page::of(data, at);
  if (!found || found->nodes() == 0)
    return broken("a page's head is damaged");
  if (found->is_leaf() != (depth == x.in->depth))
    return broken("a page is on a wrong level of its tree");
  if (!check_layout(*found, at, within, *x.in)) {
    x.count.broken = x.count.cut_off = true;
    return {};
  }
  if (found->is_leaf())
    return visit_rows(x, *found, at);
  return descend_children(x, *found, depth, within);
}

/// Whether all nodes lie side by side, in order and within the bounds.
bool walker::check_layout(const page& in, page_number at, const bounds& within, const tree& of) {
  std::size_t bytes = 0;
  core::byte_view last;
  for (std::size_t i = 0; i < in.nodes(); ++i) {
    auto node = in.at(i);
    if (!node) {
      tell_(at, last, "a row reaches beyond its page");
      return false;
    }
    bytes += node->bytes;
    if (i == 0 && !in.is_leaf())
      continue; // Leads to all that is less: its key does not count.
    bool inside = (!within.has_low || compare(of, node->key, within.low) >= 0)
                  && (!within.has_high || compare(of, node->key, within.high) < 0);
    bool first = i == (in.is_leaf() ? 0u : 1u);
    if (!inside || (!first && compare(of, node->key, last) <= 0)) {
      tell_(at, node->key, "rows are out of order");
      return false;
    }
    last = node->key;
  }
  if (bytes != in.bytes()) {
    tell_(at, last, "a page's rows do not fill their part of it");
    return false;
  }
  return true;
}

status walker::descend_children(step& x, const page& in, unsigned depth, const bounds& within) {
  ++x.count.branch_pages;
  for (std::size_t i = 0; i < in.nodes() && !x.count.stopped; ++i) {
    auto below = within;
    auto child = *in.at(i);
    if (i > 0) {
      below.low = child.key;
      below.has_low = true;
    }
    if (i + 1 < in.nodes()) {
      below.high = in.at(i + 1)->key;
      below.has_high = true;
    }
    if (!x.after.empty() && below.has_high && compare(*x.in, below.high, x.after) <= 0)
      continue;
    if (auto done = descend(x, child.child, depth + 1, below); !done)
      return done;
  }
  return {};
}

status walker::visit_rows(step& x, const page& in, page_number at) {
  ++x.count.leaf_pages;
  for (std::size_t i = 0; i < in.nodes() && !x.count.stopped; ++i) {
    auto row = *in.at(i);
    if (!x.after.empty() && compare(*x.in, row.key, x.after) <= 0)
      continue;
    if (auto done = visit_row(x, row, at); !done)
      return done;
  }
  return {};
}

status walker::visit_row(step& x, const node& row, page_number at) {
  ++x.count.entries;
  auto value = row.value;
  if (row.flags & node_big) {
    auto big = big_value(x, row, at);
    if (!big && big.code() != ec::journal_corrupt)
      return big.error();
    if (!big) {
      x.count.broken = true;
      return {};
    }
    value = *big;
  }
  x.count.bytes += row.key.size() + value.size();
  x.count.stopped = !(*x.visit)(row, value, at);
  return {};
}

/// The value of a row that has pages of its own. Error `journal_corrupt` when that was told.
result<core::byte_view> walker::big_value(step& x, const node& row, page_number at) {
  auto first = number_at<page_number>(row.value, 0);
  auto needed = (page_header_bytes + row.size + at_.page_bytes() - 1) / at_.page_bytes();
  if (first < 2 || first > at_.last_page || needed > at_.last_page + 1 - first) {
    tell_(at, row.key, "a large row's pages are not in the file");
    return ec::journal_corrupt;
  }
  if (auto got = read_pages(big_, first, page_header_bytes + row.size); !got)
    return got.error();
  auto pages = overflow_pages(big_, first);
  if (!pages || *pages < needed) {
    tell_(first, row.key, "the head of a large row's pages is damaged");
    return ec::journal_corrupt;
  }
  claim(first, *pages, row.key);
  x.count.overflow_pages += *pages;
  return core::byte_view{big_}.subspan(page_header_bytes);
}

} // namespace troupe::storage::lmdb
