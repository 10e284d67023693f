#include "node/export_command.hpp"

#include "actors/graph_store.hpp"
#include "actors/store.hpp"
#include "core/names.hpp"
#include "core/time_text.hpp"
#include "node/export_lines.hpp"
#include "node/job_states.hpp"
#include "node/store_text.hpp"
#include "node/text.hpp"

#include <cerrno>
#include <cstring>
#include <fstream>
#include <set>

namespace troupe::node {

namespace {

bool is_message(const core::record& r) {
  return std::holds_alternative<core::message_sent>(r.body)
         || std::holds_alternative<core::message_received>(r.body)
         || std::holds_alternative<core::message_acknowledged>(r.body);
}

/// Takes lines, until one cannot be written.
using line_sink = std::function<bool(const std::string&)>;

/// Writes one store as lines.
class exporter {
public:
  exporter(actors::store from, storage::job_query query, line_sink out, progress_line& progress)
      : store_(std::move(from)),
        graphs_(std::make_shared<actors::graph_store>(store_.blobs)),
        query_(std::move(query)),
        out_(std::move(out)),
        progress_(progress) {}

  status run(bool rows) {
    auto& owner = store_.directory->about().owner;
    auto now = std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now());
    put(header_line(to_string(owner.node), owner.incarnation, now));
    for (auto& shard : store_.shards)
      if (auto done = export_jobs(*shard.view); !done)
        return done;
    for (auto& shard : store_.shards)
      if (auto done = rows ? export_rows(*shard.view) : status{}; !done)
        return done;
    put(end_line(counts_));
    return written_ ? status{} : status{error{ec::io_failed, "it could not all be written"}};
  }

  const export_counts& counts() const noexcept { return counts_; }
  bool written() const noexcept { return written_; }

private:
  void put(const std::string& line) {
    written_ = written_ && out_(line);
    bytes_ += line.size();
    progress_.tell("export", bytes_, 0);
  }

  status export_jobs(storage::view& from) {
    auto query = query_;
    query.limit = limits::rows_page_max;
    do {
      auto page = from.list(query);
      if (!page)
        return page.error();
      for (auto& row : page->rows)
        if (auto done = export_job(from, row); !done || !written_)
          return done;
      query.before = page->next;
    } while (query.before);
    return {};
  }

  status export_job(storage::view& from, const storage::job_row& row) {
    if (auto done = export_graph(row.ns, row.spec.graph); !done)
      return done;
    for (auto& name : row.blobs)
      if (auto done = export_blob(row.ns, name); !done)
        return done;
    auto graphs = [this](namespace_id ns, const graph_id& id) {
      auto found = graphs_->find(ns, id);
      return found ? *found : nullptr;
    };
    core::bytes piece;
    bool first = true;
    auto put_piece = [&](bool more) {
      put(first ? job_line(row, piece, more) : records_line(row.id, piece, more));
      first = false;
      piece.clear();
    };
    storage::view::replay_state place;
    auto read = from.replay(row.id, graphs, place,
                            [&](const core::job&, const core::record& r, const core::changes&) {
                              if (is_message(r)) // They belong to this store's shards.
                                return true;
                              if (piece.size() >= export_piece_bytes)
                                put_piece(true);
                              core::encode(r, piece);
                              return written_;
                            });
    if (read.code() == ec::no_such_job && first) // Deleted meanwhile.
      return {};
    if (!read)
      return read;
    put_piece(false);
    ++counts_.jobs;
    return {};
  }

  status export_graph(namespace_id ns, const graph_id& id) {
    if (!seen_.emplace(ns, id.sha256).second)
      return {};
    auto text = store_.blobs->get(ns, id.sha256);
    if (!text)
      return text.error();
    put(graph_line(ns, id, {reinterpret_cast<const char*>(text->data()), text->size()}));
    ++counts_.graphs;
    return {};
  }

  status export_blob(namespace_id ns, const storage::sha256_digest& name) {
    if (!seen_.emplace(ns, name).second)
      return {};
    auto content = store_.blobs->get(ns, name);
    if (!content)
      return content.error();
    core::byte_view left{*content};
    do {
      auto piece = left.first(std::min(left.size(), export_piece_bytes));
      put(blob_line(ns, name, content->size(), content->size() - left.size(), piece));
      left = left.subspan(piece.size());
    } while (!left.empty());
    ++counts_.blobs;
    return {};
  }

  status export_rows(storage::view& from) {
    auto scopes = from.row_scopes();
    if (!scopes)
      return scopes.error();
    for (auto& scope : *scopes) {
      if (query_.queue && scope.queue != *query_.queue)
        continue;
      for (std::string after;;) {
        auto rows = from.rows(scope, {}, after, limits::rows_page_max);
        if (!rows)
          return rows.error();
        for (auto& row : *rows)
          put(row_line(scope.ns, scope.queue, row.key, row.content));
        counts_.rows += rows->size();
        if (rows->empty())
          break;
        after = rows->back().key;
      }
    }
    return {};
  }

  actors::store store_;
  std::shared_ptr<actors::graph_store> graphs_;
  storage::job_query query_;
  line_sink out_;
  progress_line& progress_;
  std::set<std::pair<namespace_id, storage::sha256_digest>> seen_; ///< Written, once each.
  export_counts counts_;
  std::uint64_t bytes_ = 0;
  bool written_ = true;
};

answer<storage::job_query> query_of(const export_options& x) {
  storage::job_query query;
  auto state = state_of(x.state);
  if (!state)
    return state.trouble();
  query.state = *state;
  query.queue = x.queue;
  if (!x.since)
    return query;
  auto since = core::parse_time(*x.since);
  if (!since)
    return trouble{fault::bad_usage, core::quoted(*x.since) + " is no time",
                   "a time looks like 2026-01-31T12:00:00Z", "--since 2026-01-31T12:00:00Z"};
  // Ids begin with the milliseconds of their creation.
  query.from = job_id{static_cast<std::uint64_t>(since->time_since_epoch().count()) << 16, 0};
  return query;
}

std::string counts_text(const export_counts& x) {
  return counted(x.jobs, "job") + ", " + counted(x.graphs, "graph") + ", "
         + counted(x.blobs, "blob") + ", " + counted(x.rows, "row");
}

int export_to_file(console& to, exporter& from, const std::string& path, std::ofstream& file,
                   bool rows) {
  auto done = from.run(rows);
  file.close();
  if (!from.written() || !file)
    return to.fail({fault::output_failed, "cannot write " + path, std::strerror(errno),
                    "check the path, its permissions and the disk"});
  if (!done)
    return to.fail(done.error());
  to.out("exported to " + path + ": " + counts_text(from.counts()) + "\n");
  return flushed(to);
}

} // namespace

int export_data(console& to, const export_options& options) {
  auto query = query_of(options);
  if (!query)
    return to.fail(query.trouble());
  std::error_code ignored;
  if (!std::filesystem::exists(options.data, ignored))
    return to.fail(
        {fault::no_data_directory, "there is no data directory " + options.data.string()});
  auto store = actors::read_store(options.data);
  if (!store)
    return to.fail(store.error());
  progress_line progress{to};
  if (!options.output.empty()) {
    std::ofstream file{options.output, std::ios::binary | std::ios::trunc};
    auto sink = [&file](const std::string& line) { return bool(file << line); };
    exporter from{std::move(*store), std::move(*query), sink, progress};
    return export_to_file(to, from, options.output, file, options.rows);
  }
  exporter from{std::move(*store), std::move(*query),
                [&to](const std::string& line) { return to.out(line); }, progress};
  auto done = from.run(options.rows);
  progress.clear();
  if (!from.written())
    return to.fail(fault::output_failed);
  return done ? flushed(to) : to.fail(done.error());
}

} // namespace troupe::node
