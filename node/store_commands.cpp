#include "node/store_commands.hpp"

#include "actors/store_scrub.hpp"
#include "core/time_text.hpp"
#include "node/data_path.hpp"
#include "node/store_text.hpp"
#include "node/text.hpp"
#include "storage/compact.hpp"
#include "storage/give_way.hpp"
#include "storage/restore.hpp"
#include "storage/verify.hpp"

namespace troupe::node {

namespace {

namespace fs = std::filesystem;

value number_of(std::uint64_t x) { return static_cast<std::int64_t>(x); }

/// What went wrong with a copy to a new directory. What to do about a target that is in use stands
/// behind the last semicolon of the detail.
trouble copy_trouble(const error& why) {
  if (why.code != ec::invalid_spec)
    return why;
  auto end = why.detail.rfind("; ");
  auto next = end == std::string::npos ? std::string{} : why.detail.substr(end + 2);
  return {fault::target_in_use, {}, why.detail.substr(0, end), next};
}

storage::copy_options with_progress(progress_line& line) {
  storage::copy_options options;
  options.progress = [&line](const storage::copy_progress& x) {
    line.tell(x.part, x.bytes, x.bytes_total);
  };
  return options;
}

value value_of(const storage::backup_manifest& x) {
  value::list positions;
  for (auto& [shard, at] : x.positions)
    positions.push_back(number_of(at));
  return value::object{{"node", to_string(x.source.owner.node)},
                       {"incarnation", number_of(x.source.owner.incarnation)},
                       {"taken_at", core::to_text(x.taken)},
                       {"jobs", number_of(x.jobs)},
                       {"snapshot_bytes", number_of(x.snapshot_bytes)},
                       {"blobs", number_of(x.blobs.count)},
                       {"blob_bytes", number_of(x.blobs.bytes)},
                       {"positions", std::move(positions)}};
}

std::string content_text(const storage::backup_manifest& x) {
  return counted(x.jobs, "job") + ", " + counted(x.blobs.count, "blob") + ", "
         + size_text(x.snapshot_bytes + x.blobs.bytes);
}

value value_of(const storage::finding& x) {
  return value::object{{"kind", to_string(x.kind)},
                       {"where", x.where},
                       {"what", x.what},
                       {"job", x.job == job_id{} ? value{} : value{to_string(x.job)}},
                       {"try", storage::advice(x.kind)}};
}

value value_of(const storage::verify_report& x, const fs::path& path,
               std::chrono::milliseconds took) {
  value::list findings, skipped;
  for (auto& f : x.found.kept())
    findings.push_back(value_of(f));
  for (auto& text : x.skipped)
    skipped.push_back(text);
  return value::object{{"path", path.string()},
                       {"kind", x.backup ? "backup" : "data directory"},
                       {"clean", x.clean()},
                       {"findings", std::move(findings)},
                       {"findings_total", number_of(x.found.count())},
                       {"skipped", std::move(skipped)},
                       {"jobs", number_of(x.tables.jobs)},
                       {"records", number_of(x.tables.records)},
                       {"rows", number_of(x.rows)},
                       {"blobs", number_of(x.blobs.count)},
                       {"blob_bytes", number_of(x.blobs.bytes)},
                       {"journal_batches", number_of(x.journal.batches)},
                       {"journal_records", number_of(x.journal.records)},
                       {"bytes", number_of(x.bytes + x.blobs.bytes)},
                       {"duration_ms", static_cast<std::int64_t>(took.count())}};
}

void show_table(console& to, const storage::verify_report& x, const fs::path& path,
                std::chrono::milliseconds took) {
  for (auto& f : x.found.kept())
    to.out(std::string{to_string(f.kind)} + "  " + one_line(f.where) + ": " + one_line(f.what)
           + "\n    try: " + storage::advice(f.kind) + "\n");
  if (auto more = x.found.count() - x.found.kept().size(); more > 0)
    to.out("and " + std::to_string(more) + " more\n");
  for (auto& text : x.skipped)
    to.out("not checked: " + one_line(text) + "\n");
  std::vector<row> rows{
      {x.backup ? "backup" : "data directory", path.string()},
      {"snapshot", counted(x.tables.jobs, "job") + ", " + counted(x.tables.records, "record") + ", "
                       + counted(x.rows, "row")},
      {"blobs", counted(x.blobs.count, "blob") + ", " + size_text(x.blobs.bytes)}};
  if (!x.backup)
    rows.push_back(
        {"journal", counted(x.journal.records, "record") + ", " + size_text(x.journal.bytes)});
  auto bytes = x.bytes + x.blobs.bytes;
  auto ms = std::max<std::uint64_t>(static_cast<std::uint64_t>(took.count()), 1);
  rows.push_back({"read", size_text(bytes) + " in " + span_text(took) + ", "
                              + size_text(bytes * 1000 / ms) + " a second"});
  rows.push_back(
      {"found", x.clean() ? "nothing wrong" : counted(x.found.count(), "thing") + " wrong"});
  to.out(table_of(rows));
}

} // namespace

int back_up_data(console& to, const fs::path& data, const fs::path& target, format how) {
  if (auto wrong = no_data_at(data))
    return to.fail(*wrong);
  progress_line line{to};
  auto done =
      storage::giving_way([&] { return storage::back_up(data, target, with_progress(line)); });
  line.clear();
  if (!done)
    return to.fail(copy_trouble(done.error()));
  if (how != format::table) {
    auto all = value_of(*done);
    all["path"] = target.string();
    show(to, all, how);
  } else {
    to.out("backed up " + data.string() + " to " + target.string() + ": " + content_text(*done)
           + "\n");
  }
  return flushed(to, "the backup is made; `troupe verify " + target.string() + "` looks at it");
}

int restore_data(console& to, const fs::path& backup, const fs::path& data, format how) {
  if (auto wrong = no_backup_at(backup))
    return to.fail(*wrong);
  progress_line line{to};
  auto done = storage::restore(backup, data, with_progress(line));
  line.clear();
  if (!done)
    return to.fail(copy_trouble(done.error()));
  if (how != format::table) {
    auto all = value_of(done->from);
    all["path"] = data.string();
    all["incarnation"] = number_of(done->made.owner.incarnation);
    show(to, all, how);
  } else {
    to.out("restored " + backup.string() + " to " + data.string() + ": " + content_text(done->from)
           + "\nit is a new incarnation of node " + to_string(done->made.owner.node) + ": "
           + std::to_string(done->made.owner.incarnation) + "\n");
  }
  to.err("note: a node's keys (keys.json) and audit log are in no backup; put them there before it "
         "starts\n");
  return flushed(to, "it is restored; `troupe verify " + data.string() + "` looks at it");
}

int verify_data(console& to, const fs::path& path, bool online, format how) {
  if (auto wrong = backup_at(path) ? std::nullopt : no_data_at(path))
    return to.fail(*wrong);
  progress_line line{to};
  storage::verify_options options;
  options.online = online;
  options.graphs = actors::stored_graphs();
  options.progress = [&](const storage::verify_progress& x) {
    line.tell(x.part, x.bytes, x.bytes_total);
  };
  auto begun = std::chrono::steady_clock::now();
  auto check = [&] { return storage::verify(path, options); };
  auto report = online ? storage::giving_way(check) : check();
  line.clear();
  if (!report)
    return to.fail(report.error());
  auto took = std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now()
                                                                    - begun);
  if (how == format::table)
    show_table(to, *report, path, took);
  else
    show(to, value_of(*report, path, took), how);
  if (report->clean())
    return flushed(to);
  return to.fail({fault::damaged_store,
                  path.string() + " is damaged: " + counted(report->found.count(), "finding")});
}

int compact_data(console& to, const fs::path& data, format how) {
  if (auto wrong = no_data_at(data))
    return to.fail(*wrong);
  auto done = storage::compact(data);
  if (!done)
    return to.fail(done.error());
  if (how == format::table)
    to.out("compacted " + data.string() + ": " + size_text(done->before) + " before, "
           + size_text(done->after) + " after\n");
  else
    show(to,
         value::object{{"path", data.string()},
                       {"bytes_before", number_of(done->before)},
                       {"bytes_after", number_of(done->after)}},
         how);
  return flushed(to, "it is compacted; `troupe verify " + data.string() + "` looks at it");
}

} // namespace troupe::node
