#include "graph_json/name_giver.hpp"

#include "core/names.hpp"
#include "troupe/limits.hpp"

namespace troupe::graph_json {

std::string name_of(std::string_view text) {
  std::string name{text.substr(0, limits::name_bytes_max)};
  for (auto& c : name)
    if (!core::is_name({&c, 1}))
      c = '_';
  return name.empty() ? "_" : name;
}

void name_giver::reserve(const std::string& id) {
  if (core::is_name(id))
    taken_.insert(id);
}

std::string name_giver::give(const std::string& id) {
  if (core::is_name(id))
    return id;
  auto base = name_of(id);
  auto name = base;
  for (auto& n = used_[base]; !taken_.insert(name).second;) {
    auto suffix = "_" + std::to_string(++n + 1);
    name = base.substr(0, limits::name_bytes_max - suffix.size()) + suffix;
  }
  return name;
}

} // namespace troupe::graph_json
