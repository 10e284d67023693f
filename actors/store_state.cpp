#include "actors/store_state.hpp"

namespace troupe::actors {

lag_stage stage_of(const storage::snapshot_lag& lag, std::uint64_t blob_bytes) noexcept {
  auto bytes = lag.bytes + blob_bytes;
  return bytes >= lag.hard  ? lag_stage::refused
         : bytes > lag.soft ? lag_stage::slowed
                            : lag_stage::none;
}

store_state state_of(const store& x, std::uint64_t blob_bytes) {
  store_state now;
  now.lag = x.writer->lag();
  now.blob_bytes_waiting = blob_bytes;
  now.stage = stage_of(now.lag, blob_bytes);
  now.snapshot = x.writer->state();
  now.journal = x.journal->use();
  if (x.guard)
    now.disk = x.guard->state();
  return now;
}

} // namespace troupe::actors
