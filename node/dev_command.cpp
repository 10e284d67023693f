#include "node/dev_command.hpp"

#include "core/names.hpp"
#include "graph_json/graph_json.hpp"
#include "node/config_command.hpp"
#include "node/owner.hpp"
#include "node/port_check.hpp"
#include "node/security/key_file.hpp"
#include "node/security_commands.hpp"
#include "node/serve_command.hpp"
#include "storage/data_lock.hpp"

#include <algorithm>

namespace troupe::node {

namespace {

using namespace std::chrono_literals;

constexpr auto address = "127.0.0.1";
constexpr auto key_name = "dev";
constexpr auto sample_wait = 10s;

constexpr auto sample_json = R"({"name": "sample", "vertices": [
  {"id": "hello", "kind": "noop", "config": {"output": "hello"}},
  {"id": "pause", "kind": "delay", "config": {"for": "200ms"}},
  {"id": "world", "kind": "noop", "config": {"output": "world"}},
  {"id": "greet", "kind": "jq", "inputs": {"in": "many"},
   "config": {"program": ".in | join(\", \") | ascii_upcase"}}],
 "edges": [{"from": "hello", "to": "greet"}, {"from": "pause", "to": "world"},
           {"from": "world", "to": "greet"}]})";

std::optional<std::uint16_t> free_port() {
  for (std::uint16_t i = 0; i < dev_ports_tried; ++i)
    if (!why_not_listen(address, dev_port + i))
      return static_cast<std::uint16_t>(dev_port + i);
  return {};
}

/// A new key, beside the newest ones of earlier starts: who has got one of those may go on.
result<std::string> fresh_key(const std::filesystem::path& file) {
  auto keys = read_keys(file);
  if (!keys)
    return keys.error();
  std::erase_if(*keys, [](auto& x) { return x.name != key_name; });
  std::ranges::sort(*keys, {}, &stored_key::created);
  for (std::size_t i = 0; i + dev_keys_max <= keys->size(); ++i)
    if (auto revoked = revoke_key(file, (*keys)[i].id); !revoked)
      return revoked.error();
  auto now = std::chrono::time_point_cast<core::duration>(std::chrono::system_clock::now());
  auto made = create_key(file, role::admin, key_name, {}, now);
  return made ? result<std::string>{made->text} : made.error();
}

/// The sample that was made with this key, once it has ended.
result<job_id> run_sample(runtime& node, const std::string& key) {
  auto graph = node.add_graph(graph_json::parse_graph(sample_json).spec);
  if (!graph)
    return graph.error();
  job_spec spec;
  spec.graph = *graph;
  spec.labels = {{"made-by", "troupe-dev"}};
  spec.idempotency_key = key;
  auto job = node.submit(spec);
  if (!job)
    return job;
  auto ended = node.wait(*job, sample_wait);
  return ended || ended.code() == ec::timed_out ? job : result<job_id>{ended.error()};
}

/// The sample, once in about a day: what is to be tried wants a job to look at. One that somebody
/// has deleted is made anew.
result<job_id> run_sample(runtime& node) {
  auto job = run_sample(node, "troupe-dev-sample");
  return job.code() == ec::no_such_job ? run_sample(node, "") : job;
}

std::string lines_to_reach(const std::string& url, const std::string& key) {
  return R"(
A node for trying things out: for this machine only, with vertices of every kind, also programs.
Ctrl-C ends it; what runs then goes on at the next `troupe dev`. In another terminal, first:

  export TROUPE_URL=)"
         + url + "\n  export TROUPE_TOKEN=" + key + "\n";
}

std::string lines_to_try(job_id sample) {
  auto job = to_string(sample);
  return R"(
A sample has run here. What can be done with it:

  troupe jobs list
  troupe jobs get )"
         + job + "\n  troupe jobs retry " + job + R"( --from world
  curl -s $TROUPE_URL/v1/jobs/)"
         + job + R"(/result -H "Authorization: Bearer $TROUPE_TOKEN"
  curl -sN $TROUPE_URL/v1/jobs/)"
         + job + R"(/events -H "Authorization: Bearer $TROUPE_TOKEN"

A graph of your own:

  echo '{"vertices": [{"id": "twice", "kind": "jq", "config": {"program": ".job * 2"}}]}' > g.json
  troupe submit g.json --input 21 --wait
  curl -s $TROUPE_URL/v1/jobs -H "Authorization: Bearer $TROUPE_TOKEN" \
    -H 'Content-Type: application/json' -d "{\"graph\": $(cat g.json), \"input\": 21}"

)";
}

answer<node_config> dev_config(console& to, const dev_options& options) {
  auto config = load_config(to, "");
  if (!config)
    return config;
  auto port = options.port ? options.port : free_port();
  if (!port)
    return trouble{fault::cannot_listen,
                   {},
                   "ports " + std::to_string(dev_port) + " to "
                       + std::to_string(dev_port + dev_ports_tried - 1) + " are all taken"};
  if (auto taken = *port == 0 ? std::nullopt : why_not_listen(address, *port))
    return trouble{fault::cannot_listen, {}, "port " + std::to_string(*port) + ": " + *taken};
  config->runtime.data_dir = options.data;
  config->http.address = address;
  config->http.port = *port;
  config->kinds.allow = {"*"};
  if (auto wrong = check_config(*config); !wrong.empty())
    return trouble{fault::invalid_config, {}, wrong.front().pointer + ": " + wrong.front().detail};
  return config;
}

} // namespace

int dev(console& to, const dev_options& options) {
  auto config = dev_config(to, options);
  if (!config)
    return to.fail(config.trouble());
  if (has_owner(options.data)) // Its keys are none of ours.
    if (auto lock = storage::lock_data(storage::system_files(), options.data); !lock)
      return to.fail(lock.error());
  auto key = fresh_key(config->keys_file());
  if (!key)
    return to.fail(keys_trouble(key.error()));
  auto services = node_services::open(*config, "");
  if (!services)
    return to.fail(services.trouble());
  return run_node(
      to, *config, **services, hangup::ends, [&](runtime& node, const std::string& url) {
        to.err(lines_to_reach(url, *key));
        auto sample = run_sample(node);
        to.err(sample ? lines_to_try(*sample)
                      : "warning: the sample did not run: " + sample.error().detail + "\n");
      });
}

} // namespace troupe::node
