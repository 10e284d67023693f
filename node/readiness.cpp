#include "node/readiness.hpp"

#include "core/admission.hpp"

namespace troupe::node {

namespace {

core::pressure pressure_of(const store_stats& x) {
  return {x.lag_bytes + x.waiting_blob_bytes,
          x.lag_soft_bytes,
          x.lag_hard_bytes,
          x.new_jobs_have_space,
          x.disk_free_bytes,
          x.disk_needed_bytes};
}

status snapshot_of(const store_stats& x) {
  if (x.snapshot_is_written)
    return {};
  return error{ec::journal_failed,
               "it cannot be written any more: look at the disk and the log, then start the node "
               "again; if the log tells of damage, export all and import it into a new directory"};
}

status lag_of(core::pressure x) {
  x.space = true; // Told by itself.
  auto delay = x.hard_bytes == 0 ? core::duration{} : core::admission_delay(x);
  return delay ? status{} : status{delay.error()};
}

} // namespace

std::vector<http::ready_part> ready_parts(const result<store_stats>& store, const status& audit) {
  if (!store)
    return {{"store", store.error()}, {"audit", audit}};
  auto pressure = pressure_of(*store);
  return {{"disk", core::space_for_jobs(pressure)},
          {"snapshot", snapshot_of(*store)},
          {"lag", lag_of(pressure)},
          {"audit", audit}};
}

} // namespace troupe::node
