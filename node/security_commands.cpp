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

bool is_there(const std::filesystem::path& directory) {
  std::error_code ignored;
  return directory.empty() || std::filesystem::exists(directory, ignored);
}

trouble no_directory(const std::filesystem::path& directory) {
  return {fault::no_data_directory, "there is no data directory " + directory.string()};
}

/// Where the keys are, for who does not make one: its directory must be there.
answer<std::filesystem::path> keys_there(console& to, const security_places& at) {
  auto config = places_of(to, at);
  if (!config)
    return config.trouble();
  auto file = config->keys_file();
  if (!is_there(file.parent_path()))
    return no_directory(file.parent_path());
  return file;
}

std::string report_text(const audit_report& x, const std::filesystem::path& directory) {
  if (x.files == 0)
    return "no audit log in " + directory.string() + "\n";
  auto text = counted(x.lines, "line") + " in " + counted(x.files, "file");
  if (x.lines > 0)
    text += ", numbers " + std::to_string(x.first) + " to " + std::to_string(x.head.number)
            + "\nhead " + x.head.hash;
  if (x.torn)
    text += "\nbehind it a part of a line, as a crash or a running node leaves it";
  return text + "\n";
}

} // namespace

trouble keys_trouble(const error& x) {
  return x.code == ec::invalid_spec ? trouble{fault::broken_keys, {}, x.detail} : trouble{x};
}

answer<node_config> places_of(console& to, const security_places& at) {
  if (!at.config.empty() && at.data)
    return trouble{fault::bad_usage, "-c does not go with --data",
                   "the configuration names the data directory", "leave one of them out"};
  auto x = load_config(to, at.config);
  if (x && at.data)
    x->runtime.data_dir = *at.data;
  return x;
}

int create_key(console& to, const security_places& at, const key_wish& wish, format how) {
  auto config = places_of(to, at);
  if (!config)
    return to.fail(config.trouble());
  auto file = config->keys_file();
  auto was_there = is_there(file.parent_path());
  auto made = create_key(file, wish.what, wish.name, namespace_id{wish.ns.value_or(0)}, now());
  if (!made) // Its name was looked at before.
    return to.fail(keys_trouble(made.error()));
  if (!was_there)
    to.err("made " + file.parent_path().string() + "\n");
  auto shown = to_value(made->stored);
  shown["key"] = made->text;
  return show_new_key(to, shown, how);
}

int list_keys(console& to, const security_places& at, format how) {
  auto file = keys_there(to, at);
  if (!file)
    return to.fail(file.trouble());
  auto keys = read_keys(*file);
  if (!keys)
    return to.fail(keys_trouble(keys.error()));
  value::list all;
  for (auto& x : *keys)
    all.push_back(to_value(x));
  return show_keys(to, all, how);
}

int revoke_key(console& to, const security_places& at, const std::string& id, format how) {
  auto file = keys_there(to, at);
  if (!file)
    return to.fail(file.trouble());
  auto revoked = revoke_key(*file, id);
  if (revoked.code() == ec::condition_failed)
    return to.fail({fault::unknown_key, "there is no key " + core::quoted(id)});
  if (!revoked)
    return to.fail(keys_trouble(revoked.error()));
  return show_revoked(to, id, "; a running node notices within a second", how);
}

int verify_audit(console& to, const security_places& at, const std::optional<std::string>& head,
                 format how) {
  auto config = places_of(to, at);
  if (!config)
    return to.fail(config.trouble());
  if (!is_there(config->runtime.data_dir))
    return to.fail(no_directory(config->runtime.data_dir));
  auto report = verify_audit(config->audit_dir(), head);
  if (!report)
    return to.fail(report.error());
  auto x = to_value(*report);
  if (head)
    x["has_head"] = report->has_wanted;
  if (how == format::table)
    to.out(report_text(*report, config->audit_dir()));
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

std::optional<std::string> unnamed_hosts(const node_config& x) {
  if (!is_wildcard(x.http.address) || !x.http.allowed_hosts.empty())
    return {};
  return "the address is " + x.http.address
         + ", and http.allowed_hosts is empty: calls by any name but localhost are refused (403, "
           "foreign_host)";
}

std::string first_key_command(const node_config& x, const std::string& file) {
  auto place = x.security.keys_file.empty() ? " --data " + x.runtime.data_dir.string()
               : file.empty()               ? std::string{}
                                            : " -c " + file;
  return "troupe keys create --role admin" + place;
}

std::optional<trouble> exposure(const node_config& x, const std::string& file, bool has_keys) {
  auto& address = x.http.address;
  if (has_keys || is_loopback(address))
    return {};
  return trouble{fault::needs_key,
                 "others could call " + address + ", and this node has no key",
                 {},
                 first_key_command(x, file) + ", or http.address 127.0.0.1"};
}

} // namespace troupe::node
