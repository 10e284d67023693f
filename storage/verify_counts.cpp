#include "core/wire.hpp"
#include "storage/verify_index.hpp"

namespace troupe::storage {

namespace {

std::string text(const job_count& x) {
  return std::to_string(x.jobs) + " jobs, " + std::to_string(x.bytes) + " bytes";
}

status compare_totals(const snapshot_read& from, const index_sums& sums, finding_list& to) {
  auto kept = from.counts();
  if (!kept)
    return kept.error();
  auto differ = [&](const count_key& of, const job_count& says, const job_count& counted) {
    to.add(finding_kind::count_wrong,
           row_text(table::totals, keys::total(from.shard(), of.in, of.state, of.own)),
           "it says " + text(says) + "; counted were " + text(counted));
  };
  for (auto& [of, says] : *kept) {
    auto counted = sums.counts.find(of);
    auto right = counted == sums.counts.end() ? job_count{} : counted->second;
    if (says != right)
      differ(of, says, right);
  }
  for (auto& [of, counted] : sums.counts)
    if (!kept->contains(of))
      differ(of, {}, counted);
  return {};
}

status compare_graphs(const snapshot_read& from, const index_sums& sums, finding_list& to) {
  auto left = sums.graphs;
  auto prefix = keys::shard(from.shard());
  auto walked =
      each_row(from.tables(), table::graphs, prefix, prefix,
               [&](core::byte_view key, core::byte_view) -> result<bool> {
                 namespace_id ns{};
                 graph_id id;
                 core::reader{key.subspan(prefix.size())}(ns, id);
                 auto use = from.graph(ns, id);
                 if (!use)
                   return use.error();
                 auto counted = left.find(graph_hash(ns, id));
                 auto jobs = counted == left.end() ? 0 : counted->second.jobs;
                 if (*use && (*use)->jobs != jobs)
                   to.add(finding_kind::count_wrong, row_text(table::graphs, key),
                          "it says that " + std::to_string((*use)->jobs)
                              + " jobs were made from it; " + std::to_string(jobs) + " were");
                 if (counted != left.end())
                   left.erase(counted);
                 return true;
               });
  for (auto& [hash, missing] : left)
    to.add(finding_kind::index_missing, row_text(table::graphs, {}),
           "the graph of a job is not counted", missing.one);
  return walked;
}

} // namespace

status compare_counts(const snapshot_read& from, const index_sums& sums, finding_list& to) {
  auto compared = compare_totals(from, sums, to);
  return compared ? compare_graphs(from, sums, to) : compared;
}

status check_graphs(const snapshot_read& from, const job_surroundings& around, finding_list& to) {
  auto prefix = keys::shard(from.shard());
  return each_row(from.tables(), table::graphs, prefix, prefix,
                  [&](core::byte_view key, core::byte_view) -> result<bool> {
                    namespace_id ns{};
                    graph_id id;
                    core::reader{key.subspan(prefix.size())}(ns, id);
                    check_graph(ns, id, row_text(table::graphs, key), around, to);
                    return true;
                  });
}

void check_graph(namespace_id ns, const graph_id& id, std::string where,
                 const job_surroundings& around, finding_list& to) {
  auto graph = around.graphs.find(ns, id);
  if (!graph)
    to.add(graph.code() == ec::blob_missing ? finding_kind::graph_missing
                                            : finding_kind::graph_damaged,
           std::move(where), graph.error().detail);
}

status check_links(const snapshot_read& from, finding_list& to) {
  std::map<core::shard_id, std::pair<std::uint64_t, std::uint64_t>> seen; // First, last.
  auto wrong = [&](core::byte_view key, std::string what) {
    to.add(finding_kind::link_wrong, row_text(table::links, key), std::move(what));
  };
  auto links = from.links();
  if (!links)
    return links.error();
  for (auto& [peer, link] : links->peers) {
    auto expected = link.sent - link.unacknowledged.size();
    for (auto& message : link.unacknowledged) {
      auto key = keys::outbox(from.shard(), peer, message.sequence);
      if (message.sequence != ++expected)
        wrong(key, "message " + std::to_string(expected) + " should come here");
      if (auto read = core::decode_message(message.body); !read)
        wrong(key, read.error().detail);
    }
  }
  auto prefix = keys::shard(from.shard());
  return each_row(from.tables(), table::links, prefix, prefix,
                  [&](core::byte_view key, core::byte_view) -> result<bool> {
                    char family = 0;
                    core::shard_id peer{};
                    core::reader{key.subspan(prefix.size())}(family, peer);
                    if (!links->peers.contains(peer))
                      wrong(key, "nothing else is known of that shard");
                    return true;
                  });
}

} // namespace troupe::storage
