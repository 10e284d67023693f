#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace troupe::node {

/// Why nothing can listen there now; nothing if something can. Tries it for a moment.
std::optional<std::string> why_not_listen(const std::string& address, std::uint16_t port);

} // namespace troupe::node
