#include "node/export_lines.hpp"

#include "core/time_text.hpp"
#include "core/utf8.hpp"
#include "graph_json/base64.hpp"
#include "graph_json/value_json.hpp"

#include <charconv>

namespace troupe::node {

namespace {

constexpr std::string_view graph_start = R"({"graph":")", ns_part = R"(","ns":)",
                           spec_part = R"(,"spec":)";

std::int64_t number_of(namespace_id x) { return static_cast<std::uint32_t>(x); }

std::string line_of(value::object x) { return graph_json::to_json(value{std::move(x)}) + "\n"; }

value time_of(core::shard_time x) {
  return x == core::shard_time{} ? value{} : value{core::to_text(x)};
}

core::byte_view bytes_of(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

bool take(std::string_view& from, std::string_view what) {
  if (!from.starts_with(what))
    return false;
  from.remove_prefix(what.size());
  return true;
}

} // namespace

std::string header_line(const std::string& node, std::uint64_t incarnation,
                        std::chrono::sys_time<std::chrono::milliseconds> now) {
  return line_of({{"troupe_export", export_format},
                  {"node", node},
                  {"incarnation", static_cast<std::int64_t>(incarnation)},
                  {"exported_at", core::to_text(now)}});
}

std::string graph_line(namespace_id ns, const graph_id& id, std::string_view canonical) {
  return std::string{graph_start} + to_string(id) + std::string{ns_part}
         + std::to_string(number_of(ns)) + std::string{spec_part} + std::string{canonical} + "}\n";
}

std::string blob_line(namespace_id ns, const storage::sha256_digest& name, std::uint64_t bytes,
                      std::uint64_t offset, core::byte_view piece) {
  return line_of({{"blob", "sha256:" + storage::to_hex(name)},
                  {"ns", number_of(ns)},
                  {"bytes", static_cast<std::int64_t>(bytes)},
                  {"offset", static_cast<std::int64_t>(offset)},
                  {"base64", graph_json::base64(piece)}});
}

std::string job_line(const storage::job_row& x, core::byte_view records, bool more) {
  value::object labels;
  for (auto& [key, text] : x.spec.labels)
    labels.emplace(key, text);
  value::object line{{"job", to_string(x.id)},           {"ns", number_of(x.ns)},
                     {"state", to_string(x.state)},      {"queue", x.spec.queue},
                     {"labels", std::move(labels)},      {"graph", to_string(x.spec.graph)},
                     {"created_at", time_of(x.created)}, {"started_at", time_of(x.started)},
                     {"completed_at", time_of(x.ended)}, {"records", graph_json::base64(records)}};
  if (!x.error.code.empty())
    line.emplace("error", value::object{{"code", x.error.code},
                                        {"pointer", x.error.pointer},
                                        {"detail", x.error.detail}});
  if (more)
    line.emplace("more", true);
  return line_of(std::move(line));
}

std::string records_line(job_id id, core::byte_view records, bool more) {
  value::object line{{"job", to_string(id)}, {"records", graph_json::base64(records)}};
  if (more)
    line.emplace("more", true);
  return line_of(std::move(line));
}

std::string row_line(namespace_id ns, const std::string& queue, const std::string& key,
                     core::byte_view content) {
  value::object line{{"row", key},
                     {"ns", number_of(ns)},
                     {"queue", queue},
                     {"base64", graph_json::base64(content)}};
  if (core::find_bad_utf8(key) != key.npos) // Then `row` only shows it.
    line.emplace("key_base64", graph_json::base64(bytes_of(key)));
  return line_of(std::move(line));
}

std::string end_line(const export_counts& x) {
  return line_of({{"end", true},
                  {"graphs", static_cast<std::int64_t>(x.graphs)},
                  {"blobs", static_cast<std::int64_t>(x.blobs)},
                  {"jobs", static_cast<std::int64_t>(x.jobs)},
                  {"rows", static_cast<std::int64_t>(x.rows)}});
}

std::optional<graph_text> parse_graph_line(std::string_view line) {
  constexpr std::size_t id_digits = 64;
  if (!take(line, graph_start) || line.size() < id_digits)
    return std::nullopt;
  auto id = parse_graph_id(line.substr(0, id_digits));
  line.remove_prefix(id_digits);
  if (!id || !take(line, ns_part))
    return std::nullopt;
  std::uint32_t ns = 0;
  auto [end, failed] = std::from_chars(line.data(), line.data() + line.size(), ns);
  line.remove_prefix(static_cast<std::size_t>(end - line.data()));
  if (failed != std::errc{} || !take(line, spec_part) || !line.ends_with('}'))
    return std::nullopt;
  line.remove_suffix(1);
  return graph_text{namespace_id{ns}, *id, line};
}

} // namespace troupe::node
