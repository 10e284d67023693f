#include "node/export_command.hpp"

#include "actors/graph_store.hpp"
#include "actors/salvage_store.hpp"
#include "core/names.hpp"
#include "core/time_text.hpp"
#include "node/data_path.hpp"
#include "node/export_lines.hpp"
#include "node/job_states.hpp"
#include "node/out_json.hpp"
#include "node/output_file.hpp"
#include "node/store_text.hpp"
#include "node/text.hpp"
#include "storage/blob_errors.hpp"

#include <cstring>
#include <limits>
#include <set>

namespace troupe::node {

namespace {

bool is_message(const core::record& r) {
  return std::holds_alternative<core::message_sent>(r.body)
         || std::holds_alternative<core::message_received>(r.body)
         || std::holds_alternative<core::message_acknowledged>(r.body);
}

/// Whether rows of this table are exported; all others are made anew by an import.
bool is_exported(storage::table x) {
  using storage::table;
  return x == table::meta || x == table::live || x == table::done || x == table::chunks
         || x == table::rows;
}

/// The same jobs, looked for among all rather than by an index.
storage::job_query by_rows(storage::job_query x) {
  x.matching = [state = x.state, queue = x.queue](const storage::job_row& row) {
    return (!state || row.state == *state) && (!queue || row.spec.queue == *queue);
  };
  x.state.reset();
  x.queue.reset();
  return x;
}

/// Takes lines, until one cannot be written.
using line_sink = std::function<bool(const std::string&)>;

/// Writes one store as lines.
class exporter {
public:
  exporter(actors::store from, storage::job_query query, line_sink out,
           std::function<void(const std::string&)> skipped, progress_line& progress)
      : store_(std::move(from)),
        graphs_(std::make_shared<actors::graph_store>(store_.blobs)),
        query_(std::move(query)),
        out_(std::move(out)),
        skipped_(std::move(skipped)),
        progress_(progress) {}

  /// All that can be read; what cannot is told to `damaged`, and counted.
  status run(bool rows) {
    auto& owner = store_.directory->about().owner;
    auto now = std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now());
    put(header_line(to_string(owner.node), owner.incarnation, now));
    for (auto& shard : store_.shards)
      if (auto done = export_jobs(*shard.view); !done)
        return done;
    if (!chosen())
      if (auto done = export_unused_graphs(); !done)
        return done;
    for (auto& shard : store_.shards)
      if (rows)
        export_rows(*shard.view);
    put(end_line(counts_));
    return written_ ? status{} : status{error{ec::io_failed, "it could not all be written"}};
  }

  /// What is damaged in the snapshot: it may miss in indexes, too. Before `run`.
  void leave_out(const std::vector<storage::lmdb_problem>& lost) {
    past_damage_ = !lost.empty();
    for (auto& x : lost)
      if (!x.in || is_exported(*x.in))
        leave_out("what is damaged in the snapshot: " + storage::to_string(x));
  }

  const export_counts& counts() const noexcept { return counts_; }
  std::uint64_t damaged() const noexcept { return damaged_; }
  bool written() const noexcept { return written_; }

private:
  void put(const std::string& line) {
    written_ = written_ && out_(line);
    bytes_ += line.size();
    progress_.tell("export", bytes_, 0);
  }

  status export_jobs(storage::view& from) {
    auto query = past_damage_ ? by_rows(query_) : query_;
    query.limit = limits::rows_page_max;
    query.damaged = [this](job_id id, const error& why) { leave_out("job " + to_string(id), why); };
    do {
      auto page = from.list(query);
      if (!page)
        return page.error();
      for (auto& row : page->rows) {
        if (auto done = export_job(from, row); !done)
          leave_out("job " + to_string(row.id), done.error());
        if (!written_)
          return {};
      }
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
    // One that comes in pieces is read through first: none may stay behind alone.
    if (row.bytes > export_piece_bytes)
      if (auto whole = replay(from, row.id, [this](auto&) { return written_; }); !whole)
        return whole.code() == ec::no_such_job ? status{} : whole;
    core::bytes piece;
    bool first = true;
    auto put_piece = [&](bool more) {
      put(first ? job_line(row, piece, more) : records_line(row.id, piece, more));
      first = false;
      piece.clear();
    };
    auto read = replay(from, row.id, [&](const core::record& r) {
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

  status replay(storage::view& from, job_id id,
                const std::function<bool(const core::record&)>& each) {
    auto graphs = [this](namespace_id ns, const graph_id& graph) {
      auto found = graphs_->find(ns, graph);
      return found ? *found : nullptr;
    };
    storage::view::replay_state place;
    return from.replay(
        id, graphs, place,
        [&](const core::job&, const core::record& r, const core::changes&) { return each(r); });
  }

  bool chosen() const { return query_.state || query_.queue || query_.from; }

  void leave_out(const std::string& what) {
    ++damaged_;
    skipped_(what);
  }
  void leave_out(const std::string& what, const error& why) {
    leave_out(what + " is left out: " + why.detail);
  }

  /// Graphs that no job names yet were acknowledged, too.
  status export_unused_graphs() {
    auto spaces = store_.blobs->namespaces();
    if (!spaces)
      return spaces.error();
    for (auto ns : *spaces) {
      auto names = store_.blobs->names(ns, {}, std::numeric_limits<std::size_t>::max());
      if (!names)
        return names.error();
      for (auto& name : *names)
        export_unused_graph(ns, name);
    }
    return {};
  }

  void export_unused_graph(namespace_id ns, const storage::sha256_digest& name) {
    auto is = is_unused_graph(ns, name);
    auto done = is ? status{} : status{is.error()};
    if (is && *is)
      done = export_graph(ns, graph_id{name});
    if (!done && done.code() != ec::blob_missing) // Swept meanwhile.
      leave_out("graph " + to_string(graph_id{name}), done.error());
  }

  /// What cannot be read may be one: that is an error, not a no.
  result<bool> is_unused_graph(namespace_id ns, const storage::sha256_digest& name) {
    if (seen_.contains({ns, name}))
      return false;
    core::bytes first(1);
    auto blob = store_.blobs->open(ns, name);
    auto got = blob ? (*blob)->read(first, 0) : blob.error();
    if (!got)
      return got.error();
    if (*got != 1 || !storage::is_graph(first))
      return false;
    auto found = graphs_->find(ns, graph_id{name});
    if (!found && found.code() != ec::no_such_graph)
      return found.error();
    return static_cast<bool>(found);
  }

  status export_graph(namespace_id ns, const graph_id& id) {
    if (seen_.contains({ns, id.sha256}))
      return {};
    auto text = store_.blobs->get(ns, id.sha256);
    if (!text)
      return text.error();
    seen_.emplace(ns, id.sha256);
    put(graph_line(ns, id, {reinterpret_cast<const char*>(text->data()), text->size()}));
    ++counts_.graphs;
    return {};
  }

  status export_blob(namespace_id ns, const storage::sha256_digest& name) {
    if (seen_.contains({ns, name}))
      return {};
    auto content = store_.blobs->get(ns, name);
    if (!content)
      return content.error();
    seen_.emplace(ns, name);
    core::byte_view left{*content};
    do {
      auto piece = left.first(std::min(left.size(), export_piece_bytes));
      put(blob_line(ns, name, content->size(), content->size() - left.size(), piece));
      left = left.subspan(piece.size());
    } while (!left.empty());
    ++counts_.blobs;
    return {};
  }

  void export_rows(storage::view& from) {
    auto scopes = from.row_scopes();
    if (!scopes)
      return leave_out("rows of a shard", scopes.error());
    for (auto& scope : *scopes)
      if (!query_.queue || scope.queue == *query_.queue)
        export_rows(from, scope);
  }

  void export_rows(storage::view& from, const storage::keys::scope& scope) {
    for (std::string after; written_;) {
      auto rows = from.rows(scope, {}, after, limits::rows_page_max);
      if (!rows)
        return leave_out("rows of queue " + scope.queue + " behind " + core::quoted(after),
                         rows.error());
      for (auto& row : *rows)
        put(row_line(scope.ns, scope.queue, row.key, row.content));
      counts_.rows += rows->size();
      if (rows->empty())
        return;
      after = rows->back().key;
    }
  }

  actors::store store_;
  std::shared_ptr<actors::graph_store> graphs_;
  storage::job_query query_;
  line_sink out_;
  std::function<void(const std::string&)> skipped_; ///< Told of what is left out, and why.
  progress_line& progress_;
  std::set<std::pair<namespace_id, storage::sha256_digest>> seen_; ///< Written, once each.
  export_counts counts_;
  std::uint64_t bytes_ = 0, damaged_ = 0;
  bool written_ = true, past_damage_ = false;
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

/// What is left out makes the whole fail, once all else is written.
int conclude(console& to, const exporter& from) {
  auto shown = flushed(to);
  if (from.damaged() == 0)
    return shown;
  return to.fail({fault::damaged_store,
                  counted(from.damaged(), "thing") + " could not be exported",
                  {},
                  "all else is exported whole and can be imported; `troupe verify` tells more"});
}

int export_to_file(console& to, exporter& from, const std::string& path, output_file& file,
                   bool rows) {
  auto done = from.run(rows);
  if (!from.written() || !file.sync())
    return to.fail({fault::output_failed, "cannot write " + path, std::strerror(file.failed()),
                    "check the path, its permissions and the disk"});
  if (!done)
    return to.fail(done.error());
  to.out("exported to " + path + ": " + counts_text(from.counts()) + "\n");
  return conclude(to, from);
}

} // namespace

int export_data(console& to, const export_options& options) {
  auto query = query_of(options);
  if (!query)
    return to.fail(query.trouble());
  if (auto wrong = no_data_at(options.data))
    return to.fail(*wrong);
  std::vector<storage::lmdb_problem> lost;
  auto store = actors::salvage_store(options.data, lost);
  if (!store)
    return to.fail(store.error());
  progress_line progress{to};
  auto skipped = [&](const std::string& text) {
    progress.clear();
    to.err("warning: " + one_line(text) + "\n");
  };
  if (!options.output.empty()) {
    output_file file{options.output};
    auto sink = [&file](const std::string& line) { return file.write(line); };
    exporter from{std::move(*store), std::move(*query), sink, skipped, progress};
    from.leave_out(lost);
    return export_to_file(to, from, options.output, file, options.rows);
  }
  exporter from{std::move(*store), std::move(*query),
                [&to](const std::string& line) { return out_json_text(to, line); }, skipped,
                progress};
  from.leave_out(lost);
  auto done = from.run(options.rows);
  progress.clear();
  if (!from.written())
    return to.fail(fault::output_failed);
  return done ? conclude(to, from) : to.fail(done.error());
}

} // namespace troupe::node
