#pragma once

#include "actors/store_scrub.hpp"
#include "core/place.hpp"
#include "storage/verify.hpp"
#include "tests/fault/records.hpp"
#include "tests/fault/shim.hpp"

namespace troupe::tests {

/// Why there is no value, for reports of tests.
template <class T>
std::string why(const result<T>& x) {
  return x ? std::string{} : x.error().detail;
}

/// A job as the store tells it: what is known of it, and every record, encoded.
struct kept_job {
  storage::job_row row;
  core::bytes records;
  bool operator==(const kept_job&) const = default;
};
using kept_jobs = std::map<job_id, kept_job>;

/// What became of the records of a job between two looks.
inline bool goes_on(const kept_job& before, const kept_job& after) {
  return after.records.size() >= before.records.size()
         && std::equal(before.records.begin(), before.records.end(), after.records.begin());
}

/// All jobs of one shard; every blob that they name is read.
inline void add_jobs(kept_jobs& all, storage::view& view, const actors::store& of) {
  auto graphs = std::make_shared<actors::graph_store>(of.blobs);
  auto source = [graphs](namespace_id ns, const graph_id& id) {
    auto found = graphs->find(ns, id);
    return found ? *found : nullptr;
  };
  storage::job_query query;
  query.limit = limits::rows_page_max;
  for (bool more = true; more;) {
    auto page = view.list(query);
    REQUIRE(page);
    for (auto& row : page->rows) {
      auto& job = all[row.id] = {row, {}};
      storage::view::replay_state from;
      auto read = view.replay(row.id, source, from, [&](auto&, const core::record& r, auto&) {
        core::encode(r, job.records);
        return true;
      });
      INFO(read.error().detail);
      REQUIRE(read);
      for (auto& blob : row.blobs)
        REQUIRE(of.blobs->get(row.ns, blob));
    }
    query.before = page->next;
    more = page->next.has_value();
  }
}

/// All jobs of a data directory, read beside whoever has it.
inline kept_jobs jobs_of(const fs::path& directory) {
  kept_jobs all;
  auto store = actors::read_store(directory);
  INFO(why(store));
  REQUIRE(store);
  for (auto& shard : store->shards)
    add_jobs(all, *shard.view, *store);
  return all;
}

/// What the verifier finds in a data directory or a backup, as text; empty if all is well.
inline std::string wrong_in(const fs::path& directory) {
  storage::verify_options options;
  options.graphs = actors::stored_graphs();
  auto report = storage::verify(directory, options);
  if (!report)
    return "cannot be verified: " + report.error().detail;
  std::string all;
  for (auto& x : report->found.kept())
    all += std::string{storage::to_string(x.kind)} + ": " + x.where + ": " + x.what + "\n";
  return all;
}

/// Opens it to write and ends in order: finishes an upgrade and what else an owner does first.
inline void open_once(const fs::path& directory) {
  runtime_config config;
  config.data_dir = directory;
  auto store = actors::open_store(config);
  INFO(why(store));
  REQUIRE(store);
  store->close();
}

} // namespace troupe::tests
