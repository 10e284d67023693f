#include "tests/storage/tables_fixture.hpp"
#include "tests/storage/view_model.hpp"

#include <algorithm>

using namespace troupe;
using namespace troupe::storage;
using namespace troupe::test;

namespace {

const view::graph_source no_vertices = [](namespace_id, const graph_id&) {
  return std::make_shared<const core::graph>();
};

std::vector<job_id> ids_of(const std::vector<job_row>& rows) {
  std::vector<job_id> ids;
  std::ranges::transform(rows, std::back_inserter(ids), &job_row::id);
  return ids;
}

/// All pages of a query.
std::vector<job_row> all_of(view& x, job_query q) {
  std::vector<job_row> all;
  for (;;) {
    auto page = x.list(q);
    REQUIRE(page);
    REQUIRE(page->rows.size() <= q.limit);
    std::ranges::move(page->rows, std::back_inserter(all));
    if (!page->next)
      return all;
    q.before = page->next;
  }
}

void check_list(view& x, const shard_model& model, random_shard& random) {
  job_query q;
  if (random.below(4) != 0)
    q.ns = namespace_id(random.below(2));
  if (random.below(2) == 0)
    q.state = core::job_state(random.below(8));
  if (random.below(3) == 0)
    q.queue = random.below(2) ? "a" : "ab";
  q.unfinished = random.below(4) == 0;
  if (random.below(4) == 0)
    q.labels["team"] = "x";
  if (random.below(6) == 0)
    q.labels["long"] = std::string(300, 'l') + "2";
  auto known = model.there();
  if (!known.empty() && random.below(5) == 0)
    q.ended_before = known[random.below(known.size())].ended;
  q.limit = 1 + random.below(20);
  auto fits = [&](const job_row& row) {
    auto labelled = std::ranges::all_of(q.labels, [&](auto& label) {
      auto found = row.spec.labels.find(label.first);
      return found != row.spec.labels.end() && found->second == label.second;
    });
    return labelled && (!q.ns || *q.ns == row.ns) && (!q.state || *q.state == row.state)
           && (!q.queue || *q.queue == row.spec.queue) && (!q.unfinished || !terminal(row.state))
           && (!q.ended_before || (terminal(row.state) && row.ended < *q.ended_before));
  };
  auto expected = std::move(known);
  std::erase_if(expected, [&](auto& row) { return !fits(row); });
  std::ranges::reverse(expected);
  auto found = all_of(x, q);
  REQUIRE(ids_of(found) == ids_of(expected));
  REQUIRE(found == expected);
}

void check_live(view& x, const shard_model& model) {
  std::vector<job_row> found, expected = model.there();
  std::erase_if(expected, [](auto& row) { return terminal(row.state); });
  for (std::optional<job_id> after;;) {
    auto rows = x.live(after, 7);
    REQUIRE(rows);
    std::ranges::move(*rows, std::back_inserter(found));
    if (rows->size() < 7)
      break;
    after = found.back().id;
  }
  REQUIRE(found == expected);
}

void check_jobs(view& x, const shard_model& model, random_shard& random) {
  for (auto& [id, row] : model.rows) {
    if (random.below(4) != 0)
      continue;
    auto found = x.find(id);
    REQUIRE(bool(found) == row.there());
    view::replay_state state;
    core::record_group records;
    auto done = x.replay(id, no_vertices, state, [&](auto&, auto& r, auto&) {
      records.push_back(r);
      return records.size() % 5 != 0;
    });
    while (done && records.size() % 5 == 0 && records.size() < model.records.at(id).size())
      done = x.replay(id, no_vertices, state, [&](auto&, auto& r, auto&) {
        records.push_back(r);
        return true;
      });
    if (!row.there()) {
      CHECK(found.code() == ec::no_such_job);
      CHECK(done.code() == ec::no_such_job);
      continue;
    }
    REQUIRE(*found == row);
    REQUIRE(records == model.records.at(id));
  }
}

void check_requests(view& x, const shard_model& model, random_shard& random) {
  for (auto& [name, id] : model.requests) {
    auto& row = model.rows.at(id);
    auto now = model.now + std::chrono::hours{random.below(30)};
    auto over = terminal(row.state) && row.ended + limits::idempotency_keep <= now;
    auto found = x.find_request(name, now);
    REQUIRE(found);
    REQUIRE(found->has_value() == !over);
    if (!over) {
      CHECK((*found)->id == id);
      CHECK((*found)->digest == row.spec.request_digest);
    }
  }
  auto none = x.find_request({{namespace_id{9}, "a"}, "key1"}, model.now);
  REQUIRE(none);
  CHECK_FALSE(*none);
}

void check_own_rows(view& x, const shard_model& model, random_shard& random) {
  keys::scope in{namespace_id(random.below(2)), random.below(2) ? "a" : "ab"};
  std::string prefix = random.below(2) ? "k" : "", after = random.below(2) ? "k1" : "";
  std::vector<own_row> expected;
  for (auto& [name, content] : model.own_rows)
    if (name.in == in && name.key.starts_with(prefix) && (after.empty() || name.key > after))
      expected.push_back({name.key, content});
  expected.resize(std::min<std::size_t>(expected.size(), 3));
  auto found = x.rows(in, prefix, after, 3);
  REQUIRE(found);
  REQUIRE(*found == expected);
  for (auto key : {"k", "k1", "m"}) {
    auto row = x.row({in, key});
    REQUIRE(row);
    auto known = model.own_rows.find({in, key});
    REQUIRE(row->has_value() == (known != model.own_rows.end()));
    if (*row)
      CHECK(**row == known->second);
  }
}

void check_totals(view& x, const shard_model& model) {
  std::map<count_key, job_count> expected;
  for (auto& row : model.there()) {
    auto& count =
        expected[{{row.ns, row.spec.queue}, row.state, row.spec.retention != core::duration{}}];
    ++count.jobs;
    count.bytes += row.bytes;
  }
  auto found = x.totals();
  REQUIRE(found);
  REQUIRE(*found == expected);
}

void check_expired(view& x, const shard_model& model, random_shard& random) {
  auto age = std::chrono::hours{1 + random.below(40)};
  auto bytes = 200 + random.below(5000);
  auto rules = [&](namespace_id, const std::string& queue, core::job_state) {
    return queue == "a" ? retention_rule{age, 0} : retention_rule{{}, bytes};
  };
  auto found = x.expired(rules, model.now, 100'000);
  REQUIRE(found);
  std::set<job_id> expected, ids;
  std::map<count_key, std::vector<job_row>> groups;
  for (auto& row : model.there()) {
    if (!terminal(row.state))
      continue;
    if (row.spec.retention != core::duration{}) {
      if (row.ended + row.spec.retention <= model.now)
        expected.insert(row.id);
    } else {
      groups[{{row.ns, row.spec.queue}, row.state, false}].push_back(row);
    }
  }
  for (auto& [of, rows] : groups) {
    std::ranges::sort(rows, {}, [](auto& row) { return std::pair{row.ended, row.id}; });
    std::uint64_t total = 0;
    for (auto& row : rows)
      total += row.bytes;
    for (auto& row : rows)
      if (of.in.queue == "a" ? row.ended <= model.now - age : total > bytes) {
        expected.insert(row.id);
        total -= row.bytes;
      }
  }
  for (auto& job : *found)
    CHECK(ids.insert(job.id).second);
  REQUIRE(ids == expected);
}

void check_blobs(view& x, const shard_model& model) {
  using named = std::set<std::pair<namespace_id, sha256_digest>>;
  named expected, found;
  for (auto& row : model.there()) {
    expected.insert({row.ns, row.spec.graph.sha256});
    for (auto& blob : row.blobs)
      expected.insert({row.ns, blob});
  }
  for (auto& [peer, link] : model.links.peers)
    for (auto& message : link.unacknowledged) {
      auto body = core::decode_message(message.body);
      auto& child = std::get<core::child_requested>(*body);
      expected.insert({child.ns, child.graph.sha256});
      if (child.input.blob())
        expected.insert({child.ns, child.input.blob()->sha256});
    }
  REQUIRE(x.each_blob([&](namespace_id ns, auto& name) { found.insert({ns, name}); }));
  REQUIRE(std::ranges::includes(found, expected)); // More: messages that the overlay still holds.
}

void check_all(view& x, const shard_model& model, random_shard& random) {
  check_jobs(x, model, random);
  check_list(x, model, random);
  check_live(x, model);
  check_requests(x, model, random);
  check_own_rows(x, model, random);
  check_totals(x, model);
  check_expired(x, model, random);
  check_blobs(x, model);
  auto links = x.links();
  REQUIRE(links);
  REQUIRE(*links == model.links);
  auto newest = x.newest_id();
  REQUIRE(newest);
  for (auto& [id, row] : model.rows)
    REQUIRE(later(*newest, id) == *newest);
  REQUIRE(x.durable() == model.batches.size());
}

std::uint64_t rows_in(table_reader& from, table in) { return from.totals(in).rows; }

/// Every index has a row for each job that it should have, and no other.
void check_indexes(table_store& store, const std::vector<shard_model>& models) {
  auto in = store.read();
  REQUIRE(in);
  std::uint64_t live = 0, done = 0, labels = 0;
  std::set<std::tuple<std::size_t, namespace_id, graph_id>> graphs;
  for (std::size_t i = 0; i < models.size(); ++i)
    for (auto& row : models[i].there()) {
      ++(terminal(row.state) ? done : live);
      labels += row.spec.labels.size();
      graphs.insert({i, row.ns, row.spec.graph});
    }
  CHECK(rows_in(**in, table::live) == live);
  CHECK(rows_in(**in, table::done) == done);
  CHECK(rows_in(**in, table::by_state) == live + done);
  CHECK(rows_in(**in, table::by_queue) == live + done);
  CHECK(rows_in(**in, table::by_label) == labels);
  CHECK(rows_in(**in, table::by_end) == done);
  CHECK(rows_in(**in, table::graphs) == graphs.size());
  CHECK(rows_in(**in, table::chunks) >= live + done);
}

/// Shards over one store, with a snapshot that lags as chance has it.
struct lagging_node {
  std::shared_ptr<table_store> tables;
  std::shared_ptr<lag_gauge> lag = std::make_shared<lag_gauge>();
  std::vector<shard_model> models;
  std::vector<random_shard> sources;
  std::vector<std::shared_ptr<view>> views;
  std::vector<std::pair<std::size_t, core::position>> applied; ///< Not dropped yet.

  lagging_node(std::shared_ptr<table_store> store, std::size_t shards, std::uint64_t seed)
      : tables(std::move(store)), models(shards), views(shards) {
    for (std::size_t i = 0; i < shards; ++i) {
      sources.emplace_back(seed + i, id(i));
      open(i);
    }
  }

  static core::shard_id id(std::size_t i) { return core::shard_id(i); }

  /// As after a restart: the snapshot and the batches behind it.
  void open(std::size_t i) {
    auto in = tables->read();
    REQUIRE(in);
    auto meta = snapshot_read{**in, id(i)}.meta();
    REQUIRE(meta);
    if (views[i])
      views[i]->drop(views[i]->durable());
    std::erase_if(applied, [&](auto& x) { return x.first == i; });
    views[i] = std::make_shared<view>(id(i), tables, *meta, lag);
    for (auto at = meta->applied; at < models[i].batches.size(); ++at)
      views[i]->add(models[i].batches[at]);
  }

  void apply_some(std::uint64_t bytes) {
    std::vector<shard_window> windows;
    for (auto& view : views)
      if (auto batches = view->window(bytes); !batches.empty())
        windows.push_back({view->shard(), std::move(batches)});
    auto done = apply_windows(*tables, windows);
    INFO(done.error().detail);
    REQUIRE(done.code() == ec::none);
    for (auto& x : windows)
      applied.emplace_back(core::index_of(x.shard), x.batches.back().at);
  }

  void drop_some() {
    if (applied.empty())
      return;
    views[applied.front().first]->drop(applied.front().second);
    applied.erase(applied.begin());
  }

  void apply_all() {
    while (lag->bytes() > 0) {
      apply_some(1 << 20);
      while (!applied.empty())
        drop_some();
    }
  }
};

void run(const std::string& kind, std::size_t shards, std::uint64_t seed, int steps) {
  CAPTURE(kind, shards, seed);
  tables_fixture store{kind};
  lagging_node node{std::shared_ptr<table_store>{&*store, [](auto*) {}}, shards, seed};
  std::mt19937_64 random{seed};
  for (int i = 0; i < steps; ++i) {
    auto at = random() % shards;
    switch (random() % 8) {
    case 0:
    case 1:
    case 2:
    case 3: node.views[at]->add(node.sources[at].next(node.models[at])); break;
    case 4: node.apply_some(random() % 20'000); break;
    case 5: node.drop_some(); break;
    case 6:
      if (random() % 8 == 0)
        node.open(at);
      break;
    default: check_all(*node.views[at], node.models[at], node.sources[at]);
    }
  }
  node.apply_all();
  for (std::size_t i = 0; i < shards; ++i)
    check_all(*node.views[i], node.models[i], node.sources[i]);
  check_indexes(*store, node.models);
  for (std::size_t i = 0; i < shards; ++i) {
    node.open(i);
    check_all(*node.views[i], node.models[i], node.sources[i]);
  }
  node.views.clear();
}

} // namespace

TEST_CASE("a view tells the same however far its snapshot lags", "[storage][view]") {
  auto kind = every_kind();
  auto first = GENERATE(take(1, random(1, 1 << 30)));
  for (int i = 0; i < 6; ++i)
    run(kind, i % 2 ? 4 : 1, static_cast<std::uint64_t>(first + i), 250);
}

TEST_CASE("a read that takes long ends, and the next one goes on", "[storage][view]") {
  constexpr core::shard_id shard{0};
  auto now = view::clock::time_point{};
  auto slow = [&] { return now += std::chrono::milliseconds{limits::read_transaction_max} / 2; };
  std::shared_ptr<table_store> tables = memory_tables();
  view x{shard, tables, {}, {}, slow};
  shard_model model;
  random_shard random{17, shard};
  while (model.there().size() < 500)
    x.add(random.next(model));
  auto expected = model.there();
  std::ranges::reverse(expected);
  job_query q;
  q.limit = limits::rows_page_max;
  for (auto in_tables : {false, true}) {
    INFO("in the tables: " << in_tables);
    if (in_tables) {
      REQUIRE(apply_windows(*tables, std::vector{shard_window{shard, x.window(SIZE_MAX)}}));
      x.drop(x.durable());
    }
    auto first = x.list(q);
    REQUIRE(first);
    CHECK(first->scan_limited);
    CHECK(first->next.has_value());
    CHECK(first->rows.size() < 200);
    CHECK(all_of(x, q) == expected);
    check_blobs(x, model);
  }
}
