#include "node/stats_command.hpp"

#include "node/client/node_client.hpp"
#include "node/store_text.hpp"
#include "node/text.hpp"

namespace troupe::node {

namespace {

std::string queues_table(const value& stats) {
  std::vector<row> rows{{"QUEUE", "STATE", "JOBS", "SIZE"}};
  auto queues = stats.find("queues");
  if (auto items = queues ? queues->items() : nullptr)
    for (auto& x : *items)
      rows.push_back({one_line(text_of(x, "queue")), one_line(text_of(x, "state")),
                      std::to_string(number_of(x, "jobs")),
                      size_text(static_cast<std::uint64_t>(number_of(x, "bytes")))});
  return rows.size() == 1 ? "no jobs\n" : table_of(rows);
}

} // namespace

int show_stats(console& to, const target_options& at, format how) {
  auto place = node_of(at);
  if (!place)
    return to.fail(place.trouble());
  client::node_client node{std::move(*place)};
  auto stats = node.stats();
  if (!stats)
    return to.fail(stats.trouble());
  if (how == format::table)
    to.out(queues_table(*stats));
  else
    show(to, *stats, how);
  return flushed(to);
}

} // namespace troupe::node
