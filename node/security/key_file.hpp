#pragma once

#include "core/types.hpp"
#include "node/security/roles.hpp"
#include "storage/sha256.hpp"
#include "troupe/error.hpp"
#include "troupe/value.hpp"

#include <filesystem>
#include <functional>
#include <vector>

namespace troupe::node {

inline constexpr std::size_t keys_max = 10'000;       ///< In one file.
inline constexpr std::size_t key_secret_bytes = 32;   ///< Random ones of a key.
inline constexpr std::string_view key_prefix = "trp"; ///< What each key begins with.

/// A key as it is stored: never the key itself.
struct stored_key {
  std::string id; ///< The part of the key that may be shown: 8 hexadecimal digits.
  std::string name;
  node::role role{};
  namespace_id ns{};
  storage::sha256_digest hash{}; ///< Of the whole key.
  core::shard_time created{};
  bool operator==(const stored_key&) const = default;
};

/// A new key: `text` is shown once and stored nowhere.
struct new_key {
  std::string text; ///< `trp_ID_SECRET`.
  stored_key stored;
};

/// What may be shown of a key: all but its hash.
value to_value(const stored_key& x);

/// The id in a key's text; empty if it has not the form of a key.
std::string_view id_of_key(std::string_view text) noexcept;

/// The keys in a file; none if it is not there. Errors: `io_failed`, `invalid_spec` if it is not
/// what this program writes.
result<std::vector<stored_key>> read_keys(const std::filesystem::path& file);

/// Asked before a change is made, nobody else changing the file meanwhile, with the keys that are
/// there. Its error refuses the change. Unset: nothing is asked.
using key_check = std::function<status(const std::vector<stored_key>& there)>;

/// Makes a key and adds it, and the file and its directory if need be; durable when this returns.
/// If root does it, the file belongs to the owner of the one before, else of the directory.
/// Processes that change the file at once take turns. Errors: as `read_keys`, `no_space`,
/// `too_large` with `keys_max` keys; `invalid_spec` for a name that is none; those of `check`.
result<new_key> create_key(const std::filesystem::path& file, node::role role, std::string name,
                           namespace_id ns, core::shard_time now, const key_check& check = {});

/// Takes a key out of the file, which has the same owner after. Errors: as `read_keys`, `no_space`;
/// `condition_failed` if there is no such key; those of `check`.
status revoke_key(const std::filesystem::path& file, std::string_view id,
                  const key_check& check = {});

} // namespace troupe::node
