#include "node/security_commands.hpp"

#include "core/names.hpp"
#include "core/time_text.hpp"
#include "node/config/addresses.hpp"
#include "node/config_command.hpp"
#include "node/security/audit_files.hpp"
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

value to_value(const stored_key& x) {
  return value::object{{"id", x.id},
                       {"name", x.name},
                       {"role", std::string{to_string(x.role)}},
                       {"namespace", std::int64_t(static_cast<std::uint32_t>(x.ns))},
                       {"created_at", core::to_text(x.created)}};
}

void show(console& to, const value& x, format how) {
  how == format::json ? to.out_json(x) : to.out_line(x);
}

int end(console& to) { return to.flush() ? number(exit_code::ok) : to.fail(fault::output_failed); }

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

int create_key(console& to, const security_places& at, role what, const std::string& name,
               std::uint32_t ns, format how) {
  auto config = places_of(to, at);
  if (!config)
    return to.fail(config.trouble());
  auto made = create_key(config->keys_file(), what, name, namespace_id{ns}, now());
  if (!made)
    return to.fail(made.error());
  if (how == format::table) {
    to.out(made->text + "\n");
    to.err("key " + made->stored.id + " (" + std::string{to_string(what)} + ", " + name
           + "): keep it now, it is stored nowhere\n");
  } else {
    auto x = to_value(made->stored);
    x["key"] = made->text;
    show(to, x, how);
  }
  return end(to);
}

int list_keys(console& to, const security_places& at, format how) {
  auto config = places_of(to, at);
  if (!config)
    return to.fail(config.trouble());
  auto keys = read_keys(config->keys_file());
  if (!keys)
    return to.fail(keys.error());
  std::vector<row> rows{{"ID", "ROLE", "NAMESPACE", "CREATED", "NAME"}};
  value::list all;
  for (auto& x : *keys) {
    rows.push_back({x.id, std::string{to_string(x.role)},
                    std::to_string(static_cast<std::uint32_t>(x.ns)), core::to_text(x.created),
                    x.name});
    all.push_back(to_value(x));
  }
  if (how == format::table)
    to.out(keys->empty() ? "no keys\n" : table_of(rows));
  else if (how == format::json)
    to.out_json(all);
  else
    for (auto& x : all)
      to.out_line(x);
  return end(to);
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
  if (how == format::table)
    to.out("revoked " + id + "; a running node notices within a second\n");
  else
    show(to, value::object{{"revoked", id}}, how);
  return end(to);
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
  return end(to);
}

std::optional<trouble> exposure(const std::string& address, bool has_keys) {
  if (has_keys || is_loopback(address))
    return {};
  return trouble{fault::needs_key, "others could call " + address + ", and this node has no key"};
}

} // namespace troupe::node
