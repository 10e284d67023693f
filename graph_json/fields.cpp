#include "graph_json/fields.hpp"

#include "core/duration.hpp"
#include "core/names.hpp"
#include "troupe/limits.hpp"

namespace troupe::graph_json {

namespace {

void check_name(std::string_view name, const json_place& at, problem_list& out) {
  if (!core::is_name(name))
    out.add("bad_name", at,
            core::quoted(name) + " is not a name: 1 to " + std::to_string(limits::name_bytes_max)
                + " of A-Z a-z 0-9 _ . : -");
}

} // namespace

void read_name(std::string& to, value& from, const json_place& at, problem_list& out) {
  auto text = from.string();
  if (!text)
    return out.wrong_type(at, from, "a string");
  check_name(*text, at, out);
  to = *text;
}

void check_port(std::string_view name, const json_place& at, problem_list& out) {
  check_name(name, at, out);
  if (name == "job")
    out.add("reserved_name", at, "the port `job` is reserved for the input of the job");
}

void read_port(std::string& to, value& from, const json_place& at, problem_list& out) {
  auto text = from.string();
  if (!text)
    return out.wrong_type(at, from, "a string");
  check_port(*text, at, out);
  to = *text;
}

void read_count(std::uint32_t& to, const value& from, std::uint32_t least, std::uint32_t most,
                const json_place& at, problem_list& out) {
  auto range = std::to_string(least) + " to " + std::to_string(most);
  if (auto x = from.integer(); x && *x >= least && *x <= most)
    to = static_cast<std::uint32_t>(*x);
  else if (from.is_number())
    out.add("out_of_range", at, "expected an integer of " + range);
  else
    out.wrong_type(at, from, "an integer of " + range);
}

void read_duration(std::chrono::milliseconds& to, value& from, const json_place& at,
                   problem_list& out) {
  auto text = from.string();
  if (!text)
    return out.wrong_type(at, from, "a duration such as \"10s\"");
  if (auto x = core::parse_duration(*text))
    to = *x;
  else
    out.add("bad_duration", at,
            core::quoted(*text)
                + " is not a duration: \"250ms\", \"10s\", \"1.5h\", \"1d\", \"PT10S\", "
                + "at most 100 years");
}

void read_positive_duration(std::chrono::milliseconds& to, value& from, const json_place& at,
                            problem_list& out) {
  to = std::chrono::milliseconds{1};
  read_duration(to, from, at, out);
  if (to == to.zero())
    out.add("out_of_range", at, "it must be more than 0");
}

} // namespace troupe::graph_json
