#include "bench/http_rows.hpp"

#include <poll.h>

namespace troupe::bench {

namespace {

constexpr std::size_t vertices_of_a_run = 4'000;
constexpr std::size_t late_of = 8;     ///< Of so many events one is looked at for its lateness.
constexpr std::size_t chains_max = 64; ///< Of one job: beyond that none was seen to be faster.
constexpr std::size_t readers_max = 3'200;
constexpr double grows = 1.1;       ///< By less it is the job that has its ceiling.
constexpr double behind_ms = 1'000; ///< A reader that is so late has fallen behind.

/// A job that makes as many state events as it can: chains of steps of 1 ms, beside each other, of
/// which each step makes two.
std::string ticking(std::size_t chains, std::size_t vertices) {
  std::string all, edges;
  for (std::size_t i = 0; i < vertices; ++i) {
    auto name = "\"v" + std::to_string(i) + "\"";
    all += (i ? "," : "") + std::string{R"({"kind":"delay","config":{"for":"1ms"},"id":)"} + name
           + "}";
    if (i >= chains)
      edges += (i > chains ? "," : "") + std::string{R"({"from":"v)"} + std::to_string(i - chains)
               + R"(","to":)" + name + "}";
  }
  return R"({"graph":{"vertices":[)" + all + R"(],"edges":[)" + edges + "]}}";
}

/// One reader of events: how far it is.
struct reader {
  http_connection from;
  std::string rest;
  std::size_t events = 0;
  bool ended = false, cut = false;
};

/// What many readers of one job have seen.
struct watched {
  std::size_t events = 0;  ///< To each of them.
  double made = 0;         ///< By the job, in a second.
  double p50 = 0, p99 = 0; ///< From event to reader, ms.
  double last = 0;         ///< From the job's end to the last reader, ms.
  double cpu = 0, memory = 0;
  std::size_t cut = 0; ///< Readers that were cut off.
  bool is_behind() const { return cut > 0 || p99 > behind_ms || last > behind_ms; }
};

/// Milliseconds of the wall clock since an RFC 3339 time of today.
double late_ms(const std::string& time, double now_ms) {
  auto of = [&](std::size_t at, std::size_t n) { return std::stod(time.substr(at, n)); };
  auto then = ((of(11, 2) * 60 + of(14, 2)) * 60 + of(17, 6)) * 1e3;
  return now_ms - then;
}

double now_of_day_ms() {
  auto now = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration<double, std::milli>(now % std::chrono::hours{24}).count();
}

std::string time_in(std::string_view line) {
  return std::string{line.substr(line.rfind("\"time\":\"") + 8, 24)};
}

void read_events(reader& x, std::vector<double>& late, std::vector<double>& last) {
  if (!x.from.read_more()) {
    x.cut = true;
    return;
  }
  x.rest += x.from.take_chunks();
  auto now = now_of_day_ms();
  std::string_view text = x.rest;
  std::size_t at = 0;
  for (auto end = text.find('\n'); end != text.npos; end = text.find('\n', at)) {
    auto line = text.substr(at, end - at);
    at = end + 1;
    x.ended = line.find("\"event\":\"end\"") != line.npos;
    if (++x.events % late_of == 0)
      late.push_back(late_ms(time_in(line), now));
    if (x.ended)
      last.push_back(late_ms(time_in(line), now));
  }
  x.rest.erase(0, at);
}

std::vector<reader> readers_of(const std::string& id, std::uint16_t port, std::size_t count) {
  std::vector<reader> all;
  for (std::size_t k = 0; k < count; ++k) {
    all.push_back({http_connection{port}, {}});
    all.back().from.send("GET /v1/jobs/" + id
                         + "/events HTTP/1.1\r\nHost: localhost\r\n"
                           "Accept: application/x-ndjson\r\n\r\n");
  }
  return all;
}

/// Reads all events with each of the readers.
watched read_all(std::vector<reader>& all) {
  watched x;
  std::vector<pollfd> polled;
  for (auto& r : all)
    polled.push_back({r.from.fd(), POLLIN, 0});
  std::vector<double> late, last;
  for (auto left = all.size(); left > 0;) {
    if (::poll(polled.data(), polled.size(), 30'000) <= 0)
      throw std::runtime_error{"no events come"};
    for (std::size_t k = 0; k < all.size(); ++k) {
      if (polled[k].fd < 0 || !(polled[k].revents & (POLLIN | POLLHUP | POLLERR)))
        continue;
      read_events(all[k], late, last);
      if (!all[k].ended && !all[k].cut)
        continue;
      polled[k].fd = -1;
      --left;
    }
  }
  for (auto& r : all)
    (r.cut ? x.cut : x.events) += r.cut ? 1 : r.events;
  if (auto whole = all.size() - x.cut; whole > 0)
    x.events /= whole;
  for (auto& r : all)
    if (!r.cut && r.events != x.events)
      throw std::runtime_error{"a reader has missed events"};
  x.p50 = quantile(late, 0.5);
  x.p99 = quantile(late, 0.99);
  x.last = last.empty() ? 0 : std::ranges::max(last);
  return x;
}

/// A member of a job that is a time of today, in milliseconds since midnight.
double time_of(const std::string& job, const std::string& name) {
  auto at = job.find("\"" + name + "\":\"");
  return -late_ms(job.substr(at + name.size() + 4, 24), 0);
}

watched watch(const http_bench_options& o, std::size_t readers, std::size_t chains) {
  http_node node{o};
  http_connection c{node.port};
  auto id = made_id(c.ask(request_of("POST", "/v1/jobs", ticking(chains, vertices_of_a_run))));
  auto all = readers_of(id, node.port, readers);
  auto begin = clock::now();
  auto used = node.cpu();
  auto x = read_all(all);
  x.cpu = (node.cpu() - used) / seconds_since(begin) * 100;
  x.memory = node.memory().all;
  auto job = c.ask(request_of("GET", "/v1/jobs/" + id)).body;
  auto took = (time_of(job, "completed_at") - time_of(job, "started_at")) / 1e3;
  x.made = 2 * static_cast<double>(vertices_of_a_run) / took;
  return x;
}

void print(const std::string& name, const watched& x) {
  std::printf("| %-44s | %10.0f | p99 %.1f ms, last %.0f ms after the end, %zu cut off, "
              "processor %.0f %%, %.0f MB |\n",
              name.c_str(), x.made, x.p99, x.last, x.cut, x.cpu, x.memory);
  std::fflush(stdout);
}

/// Raises what the job makes, then the number of its readers, until these fall behind.
void find_ceiling(const http_bench_options& o) {
  double best = 0, held = 0;
  std::size_t chains = 1, readers = o.readers;
  auto keeps_up = [&](std::size_t count, std::size_t beside) {
    auto x = watch(o, count, beside);
    print("  " + std::to_string(count) + " readers, " + std::to_string(beside) + " chains: 1/s", x);
    auto is_more = x.made > grows * best;
    best = std::max(best, x.made);
    if (!x.is_behind())
      held = std::max(held, x.made * static_cast<double>(count));
    return std::pair{!x.is_behind(), is_more};
  };
  for (auto next = chains; next <= chains_max; next *= 2) {
    auto [good, more] = keeps_up(readers, next);
    if (!good || !more)
      break;
    chains = next;
  }
  while (readers * 2 <= readers_max && keeps_up(readers *= 2, chains).first) {
  }
  print_row("events to all readers before they fall behind", {held}, "1/s", "");
}

} // namespace

void bench_readers(const http_bench_options& o) {
  std::vector<double> p50, p99, cpu, rates, memory;
  for (std::size_t i = 0; i < o.runs; ++i) {
    auto x = watch(o, o.readers, 1);
    if (x.cut > 0)
      throw std::runtime_error{"a reader was cut off"};
    rates.push_back(x.made);
    p50.push_back(x.p50);
    p99.push_back(x.p99);
    cpu.push_back(x.cpu);
    memory.push_back(x.memory);
  }
  print_row("events of one job to each of the readers", rates, "1/s", "1,000, all delivered");
  print_row("  from event to reader, p50", p50, "ms", "");
  print_row("  from event to reader, p99", p99, "ms", "");
  print_row("  processor of the node", cpu, "%", "");
  print_row("  memory of the node", memory, "MB", "");
  find_ceiling(o);
}

} // namespace troupe::bench
