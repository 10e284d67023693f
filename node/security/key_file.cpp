#include "node/security/key_file.hpp"

#include "core/names.hpp"
#include "core/time_text.hpp"
#include "graph_json/base64.hpp"
#include "graph_json/value_json.hpp"
#include "node/security/key_fields.hpp"
#include "node/security/owned_file.hpp"

#include <cerrno>
#include <chrono>
#include <sys/random.h>
#include <thread>

namespace troupe::node {

namespace {

using graph_json::json_place;
using graph_json::problem_list;
namespace fs = std::filesystem;

constexpr std::size_t id_digits = 8;
constexpr auto lock_wait = std::chrono::seconds{10}; // For another process that changes the file.
constexpr auto lock_retry = std::chrono::milliseconds{20};

core::byte_view bytes_of(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

template <std::size_t N>
std::array<std::uint8_t, N> random_bytes() {
  std::array<std::uint8_t, N> bits;
  if (::getrandom(bits.data(), N, 0) != ssize_t(N))
    std::abort(); // So few bytes are filled at once, once the kernel has booted.
  return bits;
}

/// Base64 for URLs, without padding (RFC 4648, section 5).
std::string url_text(core::byte_view data) {
  auto text = graph_json::base64(data);
  text.erase(text.find_last_not_of('=') + 1);
  for (auto& c : text)
    c = c == '+' ? '-' : c == '/' ? '_' : c;
  return text;
}

std::string hex(core::byte_view data) {
  constexpr auto digits = "0123456789abcdef";
  std::string text;
  for (auto b : data) {
    text += digits[b >> 4];
    text += digits[b & 15];
  }
  return text;
}

void read_hash(storage::sha256_digest& to, value& from, const json_place& at, problem_list& out) {
  auto x = from.string() ? storage::sha256_from_hex(*from.string()) : std::nullopt;
  if (x)
    to = *x;
  else
    out.add("bad_value", at, "expected 64 hexadecimal digits");
}

void read_time(core::shard_time& to, value& from, const json_place& at, problem_list& out) {
  auto x = from.string() ? core::parse_time(*from.string()) : std::nullopt;
  if (x)
    to = *x;
  else
    out.add("bad_value", at, "expected a time of RFC 3339");
}

constexpr graph_json::field<stored_key> key_fields[] = {
    {"id", graph_json::member<graph_json::read_name, &stored_key::id>, true},
    {"name", graph_json::member<graph_json::read_name, &stored_key::name>, true},
    {"role", graph_json::member<read_role, &stored_key::role>, true},
    {"namespace", graph_json::member<read_namespace, &stored_key::ns>, true},
    {"sha256", graph_json::member<read_hash, &stored_key::hash>, true},
    {"created_at", graph_json::member<read_time, &stored_key::created>, true},
};

error not_ours(const fs::path& file, const std::string& why) {
  return {ec::invalid_spec, file.string() + " is no file of keys: " + why
                                + "; restore it from a copy, or remove it and make new keys"};
}

result<std::vector<stored_key>> parse_keys(const fs::path& file, std::string_view text) {
  auto parsed = graph_json::parse_value(text);
  if (!parsed)
    return not_ours(file, parsed.error().detail);
  auto version = parsed->find("version");
  auto list = parsed->find("keys");
  if (!version || *version != value{1} || !list || !list->items())
    return not_ours(file, "expected version 1 and a list of keys");
  std::vector<stored_key> keys;
  problem_list wrong;
  json_place at{"/keys"};
  auto& items = *parsed->members()->find("keys")->second.items();
  for (std::size_t i = 0; i < items.size(); ++i)
    graph_json::read_object(std::span{key_fields}, keys.emplace_back(), items[i], at / i, wrong);
  if (auto all = wrong.release(); !all.empty())
    return not_ours(file, all.front().pointer + ": " + all.front().detail);
  return keys;
}

status write_keys(const fs::path& file, const std::vector<stored_key>& keys) {
  value::list all;
  for (auto& x : keys)
    all.emplace_back(to_value(x))["sha256"] = storage::to_hex(x.hash);
  auto text = graph_json::to_json_pretty(value::object{{"version", 1}, {"keys", all}}) + "\n";
  return replace_owned(file, bytes_of(text));
}

/// The right to change the file, while it lives.
result<storage::file> lock(const fs::path& file) {
  auto& ops = storage::system_files();
  auto name = file;
  name += ".lock";
  auto opened = open_owned(name);
  if (!opened)
    return opened.error();
  auto until = std::chrono::steady_clock::now() + lock_wait;
  int locked = ops.lock(opened->descriptor());
  while (locked == -EWOULDBLOCK && std::chrono::steady_clock::now() < until) {
    std::this_thread::sleep_for(lock_retry);
    locked = ops.lock(opened->descriptor());
  }
  if (locked < 0)
    return storage::os_error("lock", name, locked);
  return opened;
}

/// Only who makes a key makes its directory, too.
status make_directory_of(const fs::path& file) {
  if (!file.has_parent_path())
    return {};
  return storage::make_directories(storage::system_files(), file.parent_path());
}

error no_key(std::string_view id) {
  return {ec::condition_failed,
          "there is no key " + core::quoted(id) + "; `troupe keys list` shows them"};
}

bool has_id(const std::vector<stored_key>& keys, std::string_view id) {
  return std::ranges::find(keys, id, &stored_key::id) != keys.end();
}

new_key make_key(const std::vector<stored_key>& others) {
  new_key x;
  do
    x.stored.id = hex(random_bytes<id_digits / 2>());
  while (has_id(others, x.stored.id));
  x.text = std::string{key_prefix} + "_" + x.stored.id + "_"
           + url_text(random_bytes<key_secret_bytes>());
  x.stored.hash = storage::sha256(bytes_of(x.text));
  return x;
}

} // namespace

value to_value(const stored_key& x) {
  return value::object{{"id", x.id},
                       {"name", x.name},
                       {"role", std::string{to_string(x.role)}},
                       {"namespace", std::int64_t(static_cast<std::uint32_t>(x.ns))},
                       {"created_at", core::to_text(x.created)}};
}

std::string_view id_of_key(std::string_view text) noexcept {
  auto id_at = key_prefix.size() + 1, secret_at = id_at + id_digits + 1;
  if (text.size() <= secret_at || !text.starts_with(key_prefix) || text[id_at - 1] != '_'
      || text[secret_at - 1] != '_')
    return {};
  return text.substr(id_at, id_digits);
}

result<std::vector<stored_key>> read_keys(const fs::path& file) {
  auto content = storage::read_file(storage::system_files(), file);
  if (!content)
    return content.error();
  if (!*content)
    return std::vector<stored_key>{};
  return parse_keys(file, {reinterpret_cast<const char*>((*content)->data()), (*content)->size()});
}

result<new_key> create_key(const fs::path& file, node::role role, std::string name, namespace_id ns,
                           core::shard_time now, const key_check& check) {
  if (!core::is_name(name))
    return error{ec::invalid_spec,
                 core::quoted(name) + " is no name of a key: 1 to 128 of A-Z a-z 0-9 _ . : -"};
  if (auto made = make_directory_of(file); !made)
    return made.error();
  auto locked = lock(file);
  if (!locked)
    return locked.error();
  auto keys = read_keys(file);
  if (!keys)
    return keys.error();
  if (auto allowed = check ? check(*keys) : status{}; !allowed)
    return allowed.error();
  if (keys->size() >= keys_max)
    return error{ec::too_large, "there are " + std::to_string(keys->size())
                                    + " keys; revoke some that nobody uses"};
  auto made = make_key(*keys);
  made.stored.role = role;
  made.stored.name = std::move(name);
  made.stored.ns = ns;
  made.stored.created = now;
  keys->push_back(made.stored);
  if (auto written = write_keys(file, *keys); !written)
    return written.error();
  return made;
}

status revoke_key(const fs::path& file, std::string_view id, const key_check& check) {
  std::error_code ignored;
  if (file.has_parent_path() && !fs::exists(file.parent_path(), ignored))
    return no_key(id);
  auto locked = lock(file);
  if (!locked)
    return locked.error();
  auto keys = read_keys(file);
  if (!keys)
    return keys.error();
  if (auto allowed = check ? check(*keys) : status{}; !allowed)
    return allowed.error();
  if (std::erase_if(*keys, [&](auto& x) { return x.id == id; }) == 0)
    return no_key(id);
  return write_keys(file, *keys);
}

} // namespace troupe::node
