#include "node/security/audit_line.hpp"

#include "core/secrets.hpp"
#include "core/time_text.hpp"
#include "core/utf8.hpp"
#include "graph_json/value_json.hpp"
#include "storage/sha256.hpp"

namespace troupe::node {

namespace {

std::string hash_of(const value& x) {
  auto text = graph_json::canonical(x);
  return storage::to_hex(
      storage::sha256({reinterpret_cast<const std::uint8_t*>(text.data()), text.size()}));
}

/// What stands in a line: a key that somebody put into a path is valid, mostly, and is cut to its
/// id.
std::string bounded(const std::string& text) {
  auto shown = core::without_secrets(text);
  shown.resize(core::whole_characters(shown, audit_text_bytes_max));
  return shown;
}

value to_value(const audit_entry& x, core::shard_time now) {
  value::object who{{"role", std::string{to_string(x.who.role)}},
                    {"namespace", std::int64_t(static_cast<std::uint32_t>(x.who.ns))},
                    {"name", bounded(x.who.name)}};
  if (!x.who.key.empty())
    who["key"] = x.who.key;
  value::object line{{"time", core::to_text(now)},
                     {"who", std::move(who)},
                     {"act", bounded(x.act)},
                     {"outcome", bounded(x.outcome)}};
  auto add = [&](const char* key, const std::string& text) {
    if (!text.empty())
      line[key] = bounded(text);
  };
  add("target", x.target);
  add("request", x.request);
  add("peer", x.peer);
  add("result", x.result);
  return line;
}

std::optional<audit_head> head_in(const value& line) {
  auto number = line.find("number"), hash = line.find("hash");
  if (!number || !number->integer() || *number->integer() < 1 || !hash || !hash->string())
    return {};
  return audit_head{std::uint64_t(*number->integer()), *hash->string()};
}

std::string text_of(const value& line, const char* key) {
  auto x = line.find(key);
  return x && x->string() ? *x->string() : std::string{};
}

} // namespace

std::string audit_line(const audit_entry& x, core::shard_time now, audit_head& head) {
  auto line = to_value(x, now);
  line["number"] = std::int64_t(head.number + 1);
  line["prev"] = head.hash;
  head = {head.number + 1, hash_of(line)};
  line["hash"] = head.hash;
  return graph_json::canonical(line) + "\n";
}

std::optional<audit_head> claimed_head(std::string_view line) {
  auto parsed = graph_json::parse_value(line);
  return parsed ? head_in(*parsed) : std::nullopt;
}

std::optional<std::string> audit_chain::next(std::string_view line) {
  auto parsed = graph_json::parse_value(line);
  if (!parsed)
    return "it is not JSON: " + parsed.error().detail;
  auto claimed = head_in(*parsed);
  if (!claimed)
    return "it has no `number` or no `hash`";
  if (graph_json::canonical(*parsed) != line)
    return "its text was changed: it is not how this program writes it";
  auto prev = text_of(*parsed, "prev");
  if (begun_ && claimed->number != head_.number + 1)
    return "its number is " + std::to_string(claimed->number) + ", expected "
           + std::to_string(head_.number + 1) + ": lines are missing, or in another order";
  if (begun_ && prev != head_.hash)
    return "its `prev` is not the hash of the line before: one of the two was changed";
  parsed->members()->erase("hash");
  if (hash_of(*parsed) != claimed->hash)
    return "its hash is not that of its content: it was changed";
  head_ = *claimed;
  begun_ = true;
  return {};
}

} // namespace troupe::node
