#include "node/job_reader.hpp"

#include "actors/job_blobs.hpp"
#include "actors/job_book.hpp"
#include "actors/job_list.hpp"
#include "actors/job_search.hpp"
#include "core/names.hpp"
#include "core/render.hpp"
#include "node/data_path.hpp"
#include "node/id_prefix.hpp"
#include "node/target.hpp"

#include <algorithm>

namespace troupe::node {

namespace {

constexpr std::size_t matches_wanted = 3; // One is found, two are ambiguous, more are `…`.

std::vector<vertex_failure> failures_of(const core::job& x) {
  std::vector<vertex_failure> all;
  if (!x.run)
    return all;
  for (core::vertex_index v = 0; v < x.plan->size(); ++v) {
    if (x.run->states[v] != vertex_state::failed)
      continue;
    auto detail = x.run->details.find(v);
    all.push_back(
        {x.plan->names[v], detail == x.run->details.end() ? problem{} : detail->second.error});
  }
  return all;
}

std::string lower(std::string text) {
  std::ranges::transform(text, text.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? char(c - 'A' + 'a') : c; });
  return text;
}

/// The jobs whose ids begin so, in lower case; nothing if none can.
std::optional<storage::job_query> ids_with(const std::string& prefix) {
  std::string least = "00000000-0000-0000-0000-000000000000", most = least;
  std::ranges::replace(most, '0', 'f');
  if (prefix.size() > least.size())
    return {};
  auto from = parse_job_id(prefix + least.substr(prefix.size()));
  auto last = parse_job_id(prefix + most.substr(prefix.size()));
  if (!from || !last)
    return {};
  storage::job_query query;
  query.from = *from;
  if (++last->low != 0 || ++last->high != 0) // Else: every id.
    query.before = *last;
  return query;
}

} // namespace

job_reader::job_reader(actors::store from, std::filesystem::path directory)
    : store_(std::move(from)),
      directory_(std::move(directory)),
      graphs_(std::make_shared<actors::graph_store>(store_.blobs)) {}

answer<job_reader> job_reader::open(const std::filesystem::path& directory) {
  if (auto wrong = no_data_at(directory))
    return *wrong;
  auto store = actors::read_store(directory);
  if (!store)
    return trouble{store.error()};
  return job_reader{std::move(*store), directory};
}

storage::view& job_reader::view_of(job_id id) {
  auto shards = static_cast<std::uint16_t>(store_.shards.size());
  return *store_.shards[core::index_of(core::shard_of(slot_of(id), shards))].view;
}

std::vector<std::shared_ptr<storage::view>> job_reader::views() const {
  std::vector<std::shared_ptr<storage::view>> all;
  for (auto& shard : store_.shards)
    all.push_back(shard.view);
  return all;
}

storage::view::graph_source job_reader::graph_source() const {
  return [graphs = graphs_](namespace_id ns, const graph_id& id) {
    auto found = graphs->find(ns, id);
    return found ? *found : nullptr;
  };
}

result<std::vector<job_info>> job_reader::list(const job_filter& filter) {
  auto query = actors::query_of(filter);
  actors::graph_names names{*graphs_};
  actors::search_for(filter.text, names, query);
  auto rows = actors::list_jobs(views(), query, filter.limit);
  if (!rows)
    return rows.error();
  std::vector<job_info> all;
  std::ranges::transform(*rows, std::back_inserter(all),
                         [](auto& row) { return actors::info_of(row); });
  for (auto& info : all) { // A graph that cannot be read is told: its job is not as it was.
    auto graph = graphs_->find(info.ns, info.graph);
    if (!graph)
      return graph.error();
    info.graph_name = (*graph)->name;
  }
  return all;
}

answer<job_id> job_reader::find(const std::string& prefix) {
  if (auto wrong = unfit_prefix(prefix))
    return *wrong;
  std::vector<storage::job_row> found;
  if (auto query = ids_with(lower(prefix))) {
    auto rows = actors::list_jobs(views(), *query, matches_wanted);
    if (!rows)
      return trouble{rows.error()};
    found = std::move(*rows);
  }
  if (found.empty())
    return trouble{fault::unknown_job,
                   "there is no job " + core::quoted(prefix) + " in " + directory_.string()};
  if (found.size() > 1)
    return trouble{fault::ambiguous_job, "several jobs begin with " + core::quoted(prefix),
                   to_string(found[0].id) + ", " + to_string(found[1].id)
                       + (found.size() > 2 ? ", …" : "")};
  return found.front().id;
}

std::string job_reader::resuming(job_id id) {
  job_filter filter;
  filter.unfinished = true;
  filter.limit = 1;
  auto newest = list(filter);
  auto is_it = newest && !newest->empty() && newest->front().id == id;
  return "`troupe run --resume" + data_option(directory_) + "` continues "
         + (is_it ? "it" : "a newer one first");
}

result<whole_job> job_reader::get(job_id id) {
  auto job = view_of(id).load(id, graph_source());
  if (!job)
    return job.error();
  actors::environment env;
  env.get_blob = [blobs = store_.blobs](namespace_id ns, const core::blob_ref& ref) {
    return blobs->get(ns, ref.sha256);
  };
  if (auto loaded = actors::load_result(*job, env); !loaded)
    return loaded.error();
  whole_job all{actors::info_of(*job), failures_of(*job)};
  auto graph = graphs_->find(all.info.ns, all.info.graph);
  if (!graph)
    return graph.error();
  all.info.graph_name = (*graph)->name;
  return all;
}

status job_reader::events(job_id id, const std::function<bool(event&&)>& each) {
  storage::view::replay_state from;
  return view_of(id).replay(
      id, graph_source(), from,
      [&](const core::job& x, const core::record& r, const core::changes& seen) {
        return core::render(x, r, seen, each);
      });
}

} // namespace troupe::node
