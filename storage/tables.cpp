#include "storage/tables.hpp"

#include <array>
#include <cassert>

namespace troupe::storage {

const char* to_string(table x) noexcept {
  static constexpr std::array<const char*, tables> names{
      "meta",     "live",     "done",     "chunks", "graphs", "links", "idempotency",
      "by_state", "by_queue", "by_label", "by_end", "rows",   "totals"};
  auto at = static_cast<std::size_t>(x);
  return at < names.size() ? names[at] : "unknown";
}

status update(table_store& store, const std::function<status(table_writer&)>& change) {
  for (;;) {
    auto writer = store.write();
    if (!writer)
      return writer.error();
    auto done = change(**writer);
    if (done)
      done = (*writer)->commit();
    if (done || !(*writer)->must_repeat())
      return done;
  }
}

} // namespace troupe::storage
