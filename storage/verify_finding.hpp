#pragma once

#include "storage/tables.hpp"
#include "troupe/ids.hpp"

#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <vector>

namespace troupe::storage {

/// What can be wrong in a store. The names stand in JSON: they never change.
enum class finding_kind : std::uint8_t {
  file_damaged,      ///< A file cannot be read as what it should be.
  page_damaged,      ///< A place in the snapshot's file has a wrong checksum, order or count.
  journal_damaged,   ///< A batch of the journal is damaged or missing.
  journal_differs,   ///< The snapshot is not what the journal's batches make of it.
  row_damaged,       ///< A row cannot be read.
  row_misplaced,     ///< A row lies where it does not belong.
  records_missing,   ///< Records of a job are not there.
  records_damaged,   ///< Records of a job cannot be read or belong to another one.
  records_misfit,    ///< A record does not fit what the records before it made of the job.
  row_differs,       ///< A job's row is not what its records make of it.
  records_ownerless, ///< Records of a job that has no row.
  index_missing,     ///< A job is not in an index.
  index_extra,       ///< An index names a job that is not there or is otherwise.
  count_wrong,       ///< A count differs from what was counted.
  request_wrong,     ///< The key of a request and its job do not fit.
  link_wrong,        ///< The messages between two shards are not in order.
  graph_missing,     ///< A job's graph is not there.
  graph_damaged,     ///< A graph cannot be read as what its name says.
  blob_missing,      ///< A value that records name is not there.
  blob_damaged,      ///< The content of a blob does not fit its name.
  backup_differs,    ///< A backup holds something else than it says.
  snapshot_absent,   ///< Its file is gone; the journal holds all of it.
};

constexpr finding_kind last(finding_kind) noexcept { return finding_kind::snapshot_absent; }

/// `index_missing`.
const char* to_string(finding_kind x) noexcept;

/// What to do about a finding of this kind.
const char* advice(finding_kind x) noexcept;

/// One thing that is wrong.
struct finding {
  finding_kind kind{};
  std::string where; ///< A file, or a table and a key as people read it.
  std::string what;
  job_id job; ///< Zero: it concerns no job in particular.
};

/// Takes findings: the first `limits::verify_findings_max` are kept, the others counted. For one
/// thread at a time.
class finding_list {
public:
  void add(finding x);
  void add(finding_kind kind, std::string where, std::string what, job_id job = {}) {
    add({kind, std::move(where), std::move(what), job});
  }
  /// Takes over what another list has.
  void take(finding_list&& other);

  std::span<const finding> kept() const noexcept { return kept_; }
  std::uint64_t count() const noexcept { return count_; }
  bool empty() const noexcept { return count_ == 0; }

private:
  std::vector<finding> kept_;
  std::uint64_t count_ = 0;
};

/// `table by_queue, queue orders, job 0198…`: a row as people read it; what cannot be read stands
/// there in hexadecimal digits.
std::string row_text(table in, core::byte_view key);

} // namespace troupe::storage
