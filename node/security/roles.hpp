#pragma once

#include "troupe/ids.hpp"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace troupe::node {

/// What the holder of a key is. Stands in files by name: append at the end.
enum class role : std::uint8_t { viewer, worker, operator_, admin };

constexpr role last(role) noexcept { return role::admin; }

/// `viewer`, `worker`, `operator`, `admin`.
std::string_view to_string(role x) noexcept;
std::optional<role> parse_role(std::string_view text) noexcept;
std::span<const std::string_view> role_names() noexcept;

/// What a caller wants to do.
enum class action : std::uint8_t {
  look,        ///< Read jobs, events, graphs, queues and numbers.
  submit,      ///< Make jobs, register graphs.
  control,     ///< Cancel, pause, resume, stop, retry; change labels, queues and limits.
  remove,      ///< Delete jobs.
  work,        ///< Fetch attempts, and tell what came of them.
  manage_keys, ///< Make, list and revoke keys.
  read_blobs,  ///< Read blobs, whose names have to be known.
  store_blobs,
};

constexpr action last(action) noexcept { return action::store_blobs; }
std::string_view to_string(action x) noexcept;

/// Whether a role may do that. Pure.
bool may(role who, action what) noexcept;

/// Who calls.
struct principal {
  std::string key{};  ///< The id of the key; empty: none was needed.
  std::string name{}; ///< As the key's maker has called it.
  namespace_id ns{};
  node::role role = role::viewer;
  bool operator==(const principal&) const = default;
};

} // namespace troupe::node
