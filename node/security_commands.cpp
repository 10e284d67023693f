#include "node/security_commands.hpp"

#include "core/names.hpp"
#include "node/config/addresses.hpp"
#include "node/config_command.hpp"
#include "node/key_tables.hpp"
#include "node/security/audit_files.hpp"
#include "node/store_text.hpp"
#include "node/text.hpp"

namespace troupe::node {

namespace {

/// The configuration that tells where things are.
answer<node_config> places_of(console& to, const security_places& at) {
  if (!at.config.empty())
    return load_config(to, at.config);
  node_config x;
  x.runtime.data_dir = at.data;
  return x;
}

core::shard_time now() {
  return std::chrono::time_point_cast<core::duration>(std::chrono::system_clock::now());
}

value to_value(const audit_report& x) {
  value::object all{{"files", std::int64_t(x.files)},
                    {"lines", std::int64_t(x.lines)},
                    {"first", std::int64_t(x.first)},
                    {"last", std::int64_t(x.head.number)},
                    {"head", x.head.hash},
                    {"torn", x.torn},
                    {"ok", !x.broken}};
  if (x.broken)
    all["broken"] = value::object{{"file", x.broken->file.string()},
                                  {"line", std::int64_t(x.broken->line)},
                                  {"why", x.broken->why}};
  return all;
}

std::string report_text(const audit_report& x) {
  auto text = counted(x.lines, "line") + " in " + counted(x.files, "file");
  if (x.lines > 0)
    text += ", numbers " + std::to_string(x.first) + " to " + std::to_string(x.head.number)
            + "\nhead " + x.head.hash;
  if (x.torn)
    text += "\nbehind it a part of a line, as a crash or a running node leaves it";
  return text + "\n";
}

} // namespace

int create_key(console& to, const security_places& at, const key_wish& wish, format how) {
  auto config = places_of(to, at);
  if (!config)
    return to.fail(config.trouble());
  auto made = create_key(config->keys_file(), wish.what, wish.name,
                         namespace_id{wish.ns.value_or(0)}, now());
  if (!made)
    return to.fail(made.error());
  auto shown = to_value(made->stored);
  shown["key"] = made->text;
  return show_new_key(to, shown, how);
}

int list_keys(console& to, const security_places& at, format how) {
  auto config = places_of(to, at);
  if (!config)
    return to.fail(config.trouble());
  auto keys = read_keys(config->keys_file());
  if (!keys)
    return to.fail(keys.error());
  value::list all;
  for (auto& x : *keys)
    all.push_back(to_value(x));
  return show_keys(to, all, how);
}

int revoke_key(console& to, const security_places& at, const std::string& id, format how) {
  auto config = places_of(to, at);
  if (!config)
    return to.fail(config.trouble());
  auto revoked = revoke_key(config->keys_file(), id);
  if (revoked.code() == ec::condition_failed)
    return to.fail({fault::unknown_key, "there is no key " + core::quoted(id)});
  if (!revoked)
    return to.fail(revoked.error());
  return show_revoked(to, id, "; a running node notices within a second", how);
}

int verify_audit(console& to, const security_places& at, const std::optional<std::string>& head,
                 format how) {
  auto config = places_of(to, at);
  if (!config)
    return to.fail(config.trouble());
  auto report = verify_audit(config->audit_dir(), head);
  if (!report)
    return to.fail(report.error());
  auto x = to_value(*report);
  if (head)
    x["has_head"] = report->has_wanted;
  if (how == format::table)
    to.out(report_text(*report));
  else
    show(to, x, how);
  if (auto& broken = report->broken)
    return to.fail(
        {fault::broken_audit,
         {},
         broken->file.string() + " line " + std::to_string(broken->line) + ": " + broken->why});
  if (head && !report->has_wanted)
    return to.fail({fault::broken_audit, "the line that was noted is gone",
                    "no line has the hash " + core::quoted(*head)
                        + ": the log was cut or written anew, or that file is kept no longer"});
  return flushed(to);
}

std::optional<trouble> exposure(const std::string& address, bool has_keys) {
  if (has_keys || is_loopback(address))
    return {};
  return trouble{fault::needs_key, "others could call " + address + ", and this node has no key"};
}

} // namespace troupe::node
