#include "bench/store_parts.hpp"

#include "actors/answer_once.hpp"
#include "actors/spec_check.hpp"
#include "core/place.hpp"

#include <algorithm>
#include <fstream>
#include <thread>

namespace troupe::bench {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t window = 4000;

/// Calls `make` with a path unless an earlier run has left the directory there.
fs::path prepared(const store_options& o, const std::string& name,
                  const std::function<void(const fs::path&)>& make) {
  auto path = o.directory / name;
  if (fs::exists(path / "ready"))
    return path / "data";
  fs::remove_all(path);
  fs::create_directories(path);
  auto begin = clock::now();
  in_child([&] { make(path / "data"); });
  std::printf("(%s: made in %.1f s)\n", name.c_str(), seconds_since(begin));
  std::ofstream{path / "ready"};
  return path / "data";
}

} // namespace

std::unique_ptr<actors::engine> open_node(const fs::path& directory, function work,
                                          std::size_t running_jobs_max) {
  runtime_config config;
  config.data_dir = directory;
  config.running_jobs_max = running_jobs_max;
  return must(actors::engine::open(config, {{"work", std::move(work), false}}));
}

value hold(const value&, function_context& context) {
  std::mutex mutex;
  std::condition_variable_any never;
  std::unique_lock lock{mutex};
  never.wait(lock, context.stop, [] { return false; });
  return {};
}

submit_call submits_to(actors::engine& node) {
  return [&node](const job_spec& spec, runtime::accepted then, runtime::ended finally) {
    auto request = actors::checked(spec, node);
    if (!request)
      return then(request.error());
    request->accepted =
        actors::answered<result<submitted>>([then = std::move(then)](const result<submitted>& x) {
          then(x ? result<job_id>{x->id} : x.error());
        });
    request->ended = std::move(finally);
    node.send(core::shard_of(core::place(spec.ns, spec.queue), node.shards()), std::move(*request));
  };
}

graph_id add(actors::engine& node, const graph_spec& graph) {
  return must(node.env().graphs->add({}, graph));
}

graph_spec work_graph() { return chain(1, "function", value::object{{"name", "work"}}); }

job_spec spread(const graph_id& graph, std::size_t i) {
  constexpr std::size_t queues = 16;
  job_spec spec;
  spec.graph = graph;
  spec.queue = "queue" + std::to_string(10 + i % queues);
  if (i % 100 == 0)
    spec.labels["kind"] = "rare";
  return spec;
}

void wait_for_snapshot(actors::engine& node) {
  while (node.env().pressure().lag_bytes > 0)
    std::this_thread::sleep_for(std::chrono::milliseconds{10});
}

fs::path pending_store(const store_options& o, std::size_t count, begun_jobs& begun) {
  auto name = "pending-" + std::to_string(count);
  auto path = prepared(o, name, [&](const fs::path& data) {
    std::mutex mutex;
    std::ofstream list{o.directory / name / "begun"};
    auto work = [&](const value& inputs, function_context& context) {
      {
        std::scoped_lock lock{mutex};
        list << to_string(context.job) << std::endl;
      }
      return hold(inputs, context);
    };
    auto node = open_node(data, work, 1);
    auto graph = add(*node, work_graph());
    job_stream jobs{submits_to(*node), window, job_stream::until::accepted};
    for (std::size_t i = 0; i < count; ++i)
      jobs.put(spread(graph, i));
    jobs.drain();
    wait_for_snapshot(*node);
  });
  std::ifstream list{path.parent_path() / "begun"};
  begun = {};
  for (std::string id; list >> id && begun.count < std::size(begun.ids);)
    begun.ids[begun.count++] = parse_job_id(id).value();
  return path;
}

fs::path finished_store(const store_options& o, std::size_t count) {
  return prepared(o, "finished-" + std::to_string(count), [&](const fs::path& data) {
    auto node = open_node(data, hold);
    auto graph = add(*node, chain(1, "noop", {}));
    job_stream jobs{submits_to(*node), window};
    for (std::size_t i = 0; i < count; ++i)
      jobs.put(spread(graph, i));
    jobs.drain();
    wait_for_snapshot(*node);
  });
}

fs::path copy_of(const store_options& o, const fs::path& data) {
  auto copy = o.directory / "copy";
  fs::remove_all(copy);
  fs::copy(data, copy, fs::copy_options::recursive);
  return copy;
}

} // namespace troupe::bench
