#pragma once

#include "node/errors.hpp"
#include "node/progress.hpp"

#include <optional>
#include <span>
#include <string>

namespace troupe::node {

/// Why a job that has ended did not complete; nothing if it did. `failed`: how many vertices have
/// failed, of which `failures` are some. `next`: what to try. Pure.
std::optional<trouble> ending_of(const job_info& job, std::span<const vertex_failure> failures,
                                 std::size_t failed, const std::string& next);

} // namespace troupe::node
