#include "node/client/refusal.hpp"

#include "graph_json/value_json.hpp"
#include "node/http/problem.hpp"
#include "node/progress.hpp"

#include <algorithm>

namespace troupe::client {

namespace {

using node::error_kind;
using node::exit_code;
using node::text_of;

// One table.
exit_code exit_of(int status) noexcept {
  switch (status) {
  case 401:
  case 403: return exit_code::unauthorised;
  case 404: return exit_code::not_found;
  case 408:
  case 504: return exit_code::timed_out;
  case 409: return exit_code::conflict;
  case 429:
  case 500:
  case 502:
  case 503:
  case 507: return exit_code::unavailable;
  default: return exit_code::failed;
  }
}

/// The refusals of the HTTP interface, with their exit codes.
const std::vector<error_kind>& http_kinds() {
  static const auto all = [] {
    std::vector<error_kind> kinds;
    for (auto& x : http::refusal_kinds())
      kinds.push_back({x.number, x.code, exit_of(x.status), x.title, x.title, x.next});
    return kinds;
  }();
  return all;
}

const error_kind* kind_numbered(std::string_view number) {
  auto known = node::error_kinds();
  if (auto found = std::ranges::find(known, number, &error_kind::number); found != known.end())
    return &*found;
  auto& others = http_kinds();
  auto found = std::ranges::find(others, number, &error_kind::number);
  return found == others.end() ? nullptr : &*found;
}

/// Faults of a number that is not known here differ by their exit code.
const error_kind& unknown_kind(int status) {
  static const auto all = [] {
    auto& like = node::kind_of(fault::refused_by_node);
    std::vector<error_kind> kinds(600, like);
    for (int i = 400; i < 600; ++i)
      kinds[static_cast<std::size_t>(i)].exit = exit_of(i);
    return kinds;
  }();
  return all[static_cast<std::size_t>(std::clamp(status, 0, 599))];
}

/// Where it was looked for, of what a user has named.
std::string place_of(const error_kind& kind, const endpoint& at) {
  auto is_named = kind.name == "no_such_job" || kind.name == "no_such_graph"
                  || kind.name == "no_such_key" || kind.name == "no_such_route";
  return is_named ? " at " + at.url : "";
}

/// What the user of a command line does next, where the node tells what a program would.
std::string next_of(const error_kind& kind, std::string_view said) {
  if (kind.name == "no_key")
    return "give a key with --token or TROUPE_TOKEN; `troupe keys create` makes one on the node's "
           "machine";
  if (kind.name == "no_such_key")
    return "`troupe keys list` shows the ids";
  if (kind.name == "no_such_route")
    return "check the address of the node: mostly it has no path behind the port";
  if (kind.name == "closing" || kind.name == "not_ready")
    return "repeat it when the node is back";
  if (auto at = said.find("`detail`"); at != said.npos) // Which is told as the reason.
    return std::string{said}.replace(at, 8, "the reason");
  auto speaks_http = said.find("/v1/") != said.npos || said.find("`errors`") != said.npos;
  return std::string{speaks_http || said.empty() ? kind.next : said};
}

problems found_in(const value& body) {
  problems all;
  auto errors = body.find("errors");
  if (auto items = errors ? errors->items() : nullptr)
    for (auto& x : *items)
      all.push_back(node::problem_of(x));
  return all;
}

trouble strange(const endpoint& at, const reply& x) {
  return {fault::strange_answer, "what answers at " + at.url + " is no node",
          "it answered " + std::to_string(x.status)
              + (x.type.empty() ? "" : " and sent " + x.type)};
}

} // namespace

trouble refusal_of(const endpoint& at, const reply& x) {
  if (x.status < 400 || x.type != "application/problem+json")
    return strange(at, x);
  auto parsed = graph_json::parse_value(x.body);
  if (!parsed || text_of(*parsed, "number").empty())
    return strange(at, x);
  auto number = text_of(*parsed, "number");
  std::string title{text_of(*parsed, "title")};
  auto kind = kind_numbered(number);
  if (!kind)
    title += " (" + std::string{number} + ")";
  auto& used = kind ? *kind : unknown_kind(x.status);
  auto detail = text_of(*parsed, "detail");
  std::string why{detail == title ? std::string_view{} : detail};
  trouble told{used, title + place_of(used, at), std::move(why),
               next_of(used, text_of(*parsed, "next"))};
  told.found = found_in(*parsed);
  return told;
}

bool may_pass(const trouble& x) noexcept {
  return x.kind->exit == exit_code::unavailable || x.kind->exit == exit_code::timed_out;
}

} // namespace troupe::client
