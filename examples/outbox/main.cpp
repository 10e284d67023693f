// An outbox without a database: an order and the job that ships it become durable together. Each
// order is taken once, however often a customer clicks; a node that dies in between loses neither.

#include "troupe/graph_builder.hpp"
#include "troupe/runtime.hpp"

#include <cstdio>
#include <cstdlib>
#include <filesystem>

namespace {

using namespace troupe;

constexpr auto queue = "orders";

template <class T>
T must(result<T> x) {
  if (x)
    return std::move(*x);
  std::fprintf(stderr, "%s: %s\n", to_string(x.code()), x.error().detail.c_str());
  std::exit(1);
}

std::vector<std::uint8_t> bytes(const std::string& text) { return {text.begin(), text.end()}; }

/// Takes an order and asks for its shipment, unless that was done before.
bool take_order(runtime& node, const graph_id& shipment, const std::string& number) {
  transaction order;
  order.queue = queue;
  order.conditions = {{"order/" + number, {}}}; // Nobody has taken it yet.
  order.rows = {{"order/" + number, bytes("paid")}};
  auto& job = order.jobs.emplace_back();
  job.queue = queue;
  job.graph = shipment;
  job.input = number;
  job.idempotency_key = "ship/" + number;
  auto done = node.transact(order);
  if (!done && done.code() == ec::condition_failed)
    return false;
  must(node.wait(must(std::move(done)).front().id, std::chrono::seconds{30}));
  return true;
}

void run(const std::filesystem::path& directory) {
  runtime_config config;
  config.data_dir = directory;
  auto node = must(runtime::open(config));
  auto shipment = must(node.add_graph(
      graph_builder{"shipment"}.add("label", "noop", {{"output", "printed"}}).build()));
  for (auto number : {"1001", "1002", "1001"})
    std::printf("order %s: %s\n", number,
                take_order(node, shipment, number) ? "taken and shipped" : "already taken");
}

} // namespace

int main() {
  auto directory = std::filesystem::temp_directory_path() / "troupe-outbox-XXXXXX";
  auto path = directory.string();
  if (!::mkdtemp(path.data()))
    return 1;
  run(path);
  {
    runtime_config config; // The orders are there for whoever opens the directory next.
    config.data_dir = path;
    auto node = must(runtime::open(config));
    std::printf("%zu orders, %zu shipments\n", must(node.rows(queue, "order/")).size(),
                must(node.list()).size());
  }
  std::filesystem::remove_all(path);
}
