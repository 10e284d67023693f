#include "node/import_job.hpp"

namespace troupe::node {

namespace {

bool is_message(const core::record& r) {
  return std::holds_alternative<core::message_sent>(r.body)
         || std::holds_alternative<core::message_received>(r.body)
         || std::holds_alternative<core::message_acknowledged>(r.body);
}

error wrong(std::string what) { return {ec::invalid_spec, std::move(what)}; }

} // namespace

result<imported_job> read_job(job_id id, core::byte_view records,
                              const storage::job_surroundings& around) {
  auto shard = core::shard_of(slot_of(id), around.shards);
  imported_job job;
  core::bytes encoded;
  auto decoded = core::decode(records, [&](core::record&& r) -> status {
    if (r.job != id)
      return wrong("a record of job " + to_string(r.job) + " is among those of " + to_string(id));
    if (is_message(r))
      return {};
    r.shard = shard;
    auto before = encoded.size();
    core::encode(r, encoded);
    storage::fold(job.row, r, encoded.size() - before);
    job.records.push_back(std::move(r));
    return {};
  });
  if (!decoded)
    return wrong(decoded.error().detail);
  if (!job.row.there())
    return wrong("the records of job " + to_string(id)
                 + (job.row.deleted ? " end with its deletion" : " do not begin with `job_added`"));
  auto graph = around.graphs.find(job.row.ns, job.row.spec.graph);
  if (!graph)
    return wrong("its graph is not there: " + graph.error().detail);
  storage::finding_list found;
  auto in = terminal(job.row.state) ? storage::table::done : storage::table::live;
  storage::job_check check{shard, in, id, encode(job.row), around, found};
  check.take(0, encoded);
  check.end();
  if (!found.empty())
    return wrong("job " + to_string(id) + ": " + found.kept().front().what);
  return job;
}

} // namespace troupe::node
