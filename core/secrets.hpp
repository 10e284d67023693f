#pragma once

#include <string>
#include <string_view>

namespace troupe::core {

/// `text` with every secret of a key (`trp_ID_SECRET`) cut to `trp_ID_…`, also where letters of it
/// are percent-encoded. For what others may read: logs, errors, the audit log. Pure.
std::string without_secrets(std::string_view text);

} // namespace troupe::core
