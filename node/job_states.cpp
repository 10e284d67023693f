#include "node/job_states.hpp"

#include "core/names.hpp"

#include <vector>

namespace troupe::node {

answer<std::optional<job_state>> state_of(const std::optional<std::string>& name) {
  if (!name)
    return std::optional<job_state>{};
  std::vector<std::string_view> names;
  for (unsigned i = 0; i <= static_cast<unsigned>(last(job_state{})); ++i) {
    names.push_back(to_string(job_state(i)));
    if (*name == names.back())
      return std::optional{job_state(i)};
  }
  return trouble{fault::bad_usage, "there is no state " + core::quoted(*name),
                 "the states are " + core::listed(names)};
}

} // namespace troupe::node
