#pragma once

#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>

namespace troupe::graph_json {

/// A name made of any text: what no name may have becomes `_`. Pure.
std::string name_of(std::string_view text);

/// Gives foreign ids names of their own: one that is a name stays, a number keeps others apart.
class name_giver {
public:
  /// Tells of an id before any is named; ids that are names are never given to others.
  void reserve(const std::string& id);
  std::string give(const std::string& id);

private:
  std::unordered_set<std::string> taken_;
  std::unordered_map<std::string, std::uint32_t> used_; ///< Numbers given, by name without one.
};

} // namespace troupe::graph_json
