#pragma once

#include <string_view>

namespace troupe::http {

/// `docs/openapi.json`, as it was when this was built.
std::string_view openapi_json() noexcept;

} // namespace troupe::http
