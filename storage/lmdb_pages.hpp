#pragma once

#include "core/bytes.hpp"

#include <cstdint>
#include <optional>

/// The pages of an LMDB 0.9 file on a 64-bit little-endian machine, as bytes: to look at a file
/// that is not yet trusted enough to be mapped.
namespace troupe::storage::lmdb {

using page_number = std::uint64_t;
inline constexpr page_number no_page = ~page_number{0};

inline constexpr std::size_t page_header_bytes = 16;
inline constexpr std::uint16_t branch_flag = 1, leaf_flag = 2, overflow_flag = 4, meta_flag = 8;
inline constexpr std::uint16_t node_big = 1, node_tree = 2;
inline constexpr std::uint16_t integer_keys = 8; ///< The order of the tree of free pages.

/// Where a tree is and what it holds.
struct tree {
  std::uint32_t pad = 0;
  std::uint16_t flags = 0, depth = 0;
  std::uint64_t branch_pages = 0, leaf_pages = 0, overflow_pages = 0, entries = 0;
  page_number root = no_page;
};
inline constexpr std::size_t tree_bytes = 48;

/// One of the two pages that say what the file holds.
struct meta {
  std::uint64_t map_bytes = 0;
  tree free, main;
  page_number last_page = 0;
  std::uint64_t transaction = 0;

  std::size_t page_bytes() const noexcept { return free.pad; }
};
inline constexpr std::size_t meta_bytes = page_header_bytes + 136;

/// A row of a leaf page, or a branch page's way to a child.
struct node {
  core::byte_view key;
  core::byte_view value;  ///< In a leaf; of a big row the number of its first page.
  std::uint64_t size = 0; ///< Of a leaf's value.
  std::uint16_t flags = 0;
  page_number child = no_page; ///< In a branch.
  std::size_t bytes = 0;       ///< Of the page that it takes, without its place in the list.
};

/// Reads a number at `at`, which must lie inside.
template <class Number>
Number number_at(core::byte_view data, std::size_t at);

/// A tree's description; `data` has `tree_bytes`.
tree tree_at(core::byte_view data);

/// The meta page at the start of `data`; nothing if that is none.
std::optional<meta> meta_at(core::byte_view data);

/// A page whose header and offsets are within bounds.
class page {
public:
  /// Nothing if the page is not a sound branch or leaf page with this number.
  static std::optional<page> of(core::byte_view data, page_number number);

  bool is_leaf() const noexcept { return leaf_; }
  std::size_t nodes() const noexcept { return nodes_; }
  /// How much of the page its nodes fill.
  std::size_t bytes() const noexcept { return data_.size() - upper_; }
  /// Nothing if it reaches beyond the page.
  std::optional<node> at(std::size_t index) const;

private:
  page(core::byte_view data, bool leaf, std::size_t nodes, std::size_t upper)
      : data_(data), leaf_(leaf), nodes_(nodes), upper_(upper) {}

  core::byte_view data_;
  bool leaf_;
  std::size_t nodes_, upper_;
};

/// How many pages a large row takes, by the head of the first; nothing if that is no such head.
std::optional<std::uint64_t> overflow_pages(core::byte_view data, page_number number);

} // namespace troupe::storage::lmdb
