#include "storage/verify_job.hpp"

#include "core/time_text.hpp"
#include "storage/snapshot_keys.hpp"

namespace troupe::storage {

namespace {

/// Records that change a job; of the others none can misfit.
bool changes_job(const core::record& r) {
  using namespace core;
  return std::holds_alternative<job_moved>(r.body)
         || std::holds_alternative<attempt_started>(r.body)
         || std::holds_alternative<attempt_leased>(r.body)
         || std::holds_alternative<attempt_ended>(r.body)
         || std::holds_alternative<vertices_ended>(r.body)
         || std::holds_alternative<attempt_lost>(r.body)
         || std::holds_alternative<vertices_reused>(r.body)
         || std::holds_alternative<stream_appended>(r.body)
         || std::holds_alternative<message_added>(r.body);
}

bool begins(const core::record& r) {
  auto moved = std::get_if<core::job_moved>(&r.body);
  return moved && moved->to == core::job_state::running;
}

std::string differs(const char* what, const std::string& row, const std::string& records) {
  return std::string{"its "} + what + " is " + row + " in the row, " + records + " by its records";
}

std::string text(core::shard_time x) { return x == core::shard_time{} ? "none" : core::to_text(x); }

} // namespace

const char* name_of(const core::record& r) noexcept {
  static constexpr const char* names[] = {
      "feature_level_raised", "job_added",      "job_moved",        "attempt_started",
      "attempt_ended",        "vertices_ended", "attempt_lost",     "vertices_reused",
      "stream_appended",      "message_sent",   "message_received", "message_acknowledged",
      "job_deleted",          "job_passivated", "row_written",      "row_erased",
      "attempt_leased",       "message_added"};
  static_assert(std::size(names) == std::variant_size_v<core::record_body>);
  return names[r.body.index()];
}

job_check::job_check(core::shard_id shard, table in, job_id id, core::byte_view row,
                     const job_surroundings& around, finding_list& to)
    : shard_(shard), in_(in), id_(id), around_(around), to_(to) {
  auto read = decode_job_row(id, row);
  if (!read) {
    tell(finding_kind::row_damaged, read.error().detail);
    return;
  }
  row_ = std::move(*read);
  if (core::shard_of(slot_of(id), around.shards) != shard)
    tell(finding_kind::row_misplaced,
         "its id belongs to shard "
             + std::to_string(index_of(core::shard_of(slot_of(id), around.shards))));
  if (terminal(row_->state) != (in == table::done))
    tell(finding_kind::row_misplaced, std::string{"it is "} + to_string(row_->state));
}

void job_check::tell(finding_kind kind, std::string what) {
  to_.add(kind, row_text(in_, keys::job(shard_, id_)), std::move(what), id_);
}

void job_check::take(std::uint64_t first, core::byte_view records) {
  if (first != next_ && !broken_) {
    tell(finding_kind::records_missing, "records " + std::to_string(next_) + " to "
                                            + std::to_string(first) + " do not follow each other");
    broken_ = true;
  }
  auto places = core::places_in(records, true);
  if (!places) {
    tell(finding_kind::records_damaged,
         "from record " + std::to_string(first) + " on: " + places.error().detail);
    broken_ = true;
    return;
  }
  for (auto& at : *places)
    take(records.subspan(at.begin, at.end - at.begin));
}

void job_check::take(core::byte_view encoded) {
  auto number = next_++;
  if (broken_)
    return;
  auto decoded = core::decode(encoded, [&](core::record&& r) -> status {
    if (r.job != id_ || r.shard != shard_ || (row_ && r.ns != row_->ns))
      return error{ec::journal_corrupt, "it belongs to job " + to_string(r.job) + " of shard "
                                            + std::to_string(index_of(r.shard))};
    fold(folded_, r, encoded.size());
    replay(r);
    return {};
  });
  if (decoded)
    return;
  tell(finding_kind::records_damaged,
       "record " + std::to_string(number) + ": " + decoded.error().detail);
  broken_ = true;
}

/// Whether there is a job to which `r` can be applied.
bool job_check::prepare(const core::record& r) {
  if (!job_ && next_ == 1 && std::holds_alternative<core::job_added>(r.body)) {
    job_ = core::job_of(r);
    return false;
  }
  if (!job_)
    return false;
  if (begins(r) && !job_->plan) {
    auto graph = around_.graphs.find(job_->ns, job_->spec.graph);
    if (!graph) {
      job_.reset(); // Told once, with the graph.
      return false;
    }
    job_->plan = *graph;
  }
  return true;
}

void job_check::replay(const core::record& r) {
  if (!prepare(r))
    return;
  core::changes seen;
  core::apply(*job_, r, seen);
  if (seen.ignored.empty() || !changes_job(r))
    return;
  tell(finding_kind::records_misfit, "record " + std::to_string(next_ - 1) + ", " + name_of(r)
                                         + ", does not fit a job that is "
                                         + to_string(job_->state));
  job_.reset();
}

void job_check::end() {
  if (broken_ || !row_)
    return;
  compare_rows();
  if (job_)
    compare_job();
  check_blobs();
}

void job_check::compare_rows() {
  if (folded_ == *row_)
    return;
  auto& x = *row_;
  auto& y = folded_;
  auto number = [](std::uint64_t n) { return std::to_string(n); };
  std::string what = "it is not what its records make of it";
  if (x.records != y.records)
    what = differs("number of records", number(x.records), number(y.records));
  else if (x.bytes != y.bytes)
    what = differs("size", number(x.bytes), number(y.bytes));
  else if (x.state != y.state)
    what = differs("state", to_string(x.state), to_string(y.state));
  else if (x.created != y.created)
    what = differs("time of creation", text(x.created), text(y.created));
  else if (x.started != y.started)
    what = differs("start", text(x.started), text(y.started));
  else if (x.ended != y.ended)
    what = differs("end", text(x.ended), text(y.ended));
  else if (x.wake_at != y.wake_at)
    what = differs("next timer", text(x.wake_at), text(y.wake_at));
  else if (x.spec.queue != y.spec.queue)
    what = differs("queue", x.spec.queue, y.spec.queue);
  else if (x.blobs != y.blobs)
    what = differs("number of blobs", number(x.blobs.size()), number(y.blobs.size()));
  auto missing = x.records > y.records;
  tell(missing ? finding_kind::records_missing : finding_kind::row_differs, std::move(what));
}

/// The same by the vertices' own history.
void job_check::compare_job() {
  auto& x = *row_;
  auto& y = *job_;
  if (x.state != y.state)
    tell(finding_kind::row_differs, differs("state", to_string(x.state), to_string(y.state)));
  else if (x.started != y.started || x.ended != y.ended || !(x.error == y.error))
    tell(finding_kind::row_differs, "its times or its error are not those of its records");
}

void job_check::check_blobs() {
  for (auto& name : row_->blobs) {
    auto there = around_.blobs.has(row_->ns, name);
    if (there && *there)
      continue;
    auto path = around_.blobs.path_of(row_->ns, name).string();
    tell(finding_kind::blob_missing,
         there ? "its value " + path + " is gone" : there.error().detail);
  }
}

} // namespace troupe::storage
