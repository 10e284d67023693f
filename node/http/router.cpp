#include "node/http/router.hpp"

#include "core/names.hpp"
#include "node/http/query.hpp"

#include <algorithm>
#include <cassert>

namespace troupe::http {

namespace {

/// The next part of a path, without the slash before it.
std::string_view take_part(std::string_view& rest) {
  rest.remove_prefix(1);
  auto part = rest.substr(0, rest.find('/'));
  rest.remove_prefix(part.size());
  return part;
}

/// Cuts the verb behind the last `:` off.
std::string_view take_verb(std::string_view& path) {
  auto colon = path.rfind(':');
  if (colon == path.npos || path.find('/', colon) != path.npos)
    return {};
  auto verb = path.substr(colon + 1);
  path = path.substr(0, colon);
  return verb;
}

/// One open part, decoded and of the type that its name says.
std::optional<unrouted> read_argument(std::string_view name, std::string_view text,
                                      path_arguments& to) {
  auto plain = percent_decoded(text);
  if (!plain)
    return unrouted{
        400, "the part " + core::quoted(text) + " of the path is malformed", {}, ec::none};
  if (name == "job") {
    auto id = parse_job_id(*plain);
    if (!id)
      return unrouted{404, {}, {}, {ec::no_such_job, core::quoted(*plain) + " is no job id"}};
    to.job = *id;
  } else if (name == "graph") {
    auto id = parse_graph_id(*plain);
    if (!id)
      return unrouted{404, {}, {}, {ec::no_such_graph, core::quoted(*plain) + " is no graph id"}};
    to.graph = *id;
  } else {
    to.name = std::move(*plain);
  }
  return {};
}

std::optional<unrouted>
read_arguments(const std::vector<std::pair<std::string_view, std::string>>& open,
               path_arguments& to) {
  for (auto& [name, text] : open)
    if (auto wrong = read_argument(name, text, to))
      return wrong;
  return {};
}

bool takes(const route& x, std::string_view method) {
  return x.method == method || (method == "HEAD" && x.method == "GET");
}

} // namespace

path_pattern::path_pattern(std::string_view pattern) {
  assert(pattern.starts_with('/'));
  verb_ = take_verb(pattern);
  while (!pattern.empty()) {
    auto text = take_part(pattern);
    auto is_open = text.starts_with('{');
    parts_.push_back({std::string{is_open ? text.substr(1, text.size() - 2) : text}, is_open});
  }
}

std::optional<std::vector<std::pair<std::string_view, std::string>>>
path_pattern::match(std::string_view path) const {
  std::vector<std::pair<std::string_view, std::string>> open;
  if (!verb_.empty() && take_verb(path) != verb_)
    return {};
  for (auto& part : parts_) {
    if (!path.starts_with('/'))
      return {};
    auto text = take_part(path);
    if (part.is_open ? text.empty() : text != part.text)
      return {};
    if (part.is_open)
      open.emplace_back(part.text, text);
  }
  if (!path.empty())
    return {};
  return open;
}

router::router(std::vector<route> routes) : routes_(std::move(routes)) {
  // Of two that fit, the one with a verb is meant: it comes first.
  std::ranges::stable_partition(routes_,
                                [](auto& x) { return x.path.rfind(':') != std::string::npos; });
  for (auto& x : routes_)
    patterns_.emplace_back(x.path);
}

std::variant<routed, unrouted> router::find(std::string_view method, std::string_view sent) const {
  const auto path = with_plain_letters(sent);
  std::optional<unrouted> refused;
  std::vector<std::string> allowed;
  for (std::size_t i = 0; i < routes_.size(); ++i) {
    auto open = patterns_[i].match(path);
    if (!open)
      continue;
    routed found{&routes_[i], {}};
    if (auto wrong = read_arguments(*open, found.arguments))
      refused = std::move(wrong);
    else if (takes(routes_[i], method))
      return found;
    else
      allowed.push_back(routes_[i].method);
  }
  if (allowed.empty())
    return refused ? *refused
                   : unrouted{404, "there is nothing at " + core::quoted(sent), {}, ec::none};
  if (std::ranges::find(allowed, "GET") != allowed.end())
    allowed.push_back("HEAD");
  return unrouted{405, "this path does not take " + core::quoted(method), std::move(allowed),
                  ec::none};
}

} // namespace troupe::http
