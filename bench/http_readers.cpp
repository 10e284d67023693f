#include "bench/http_rows.hpp"

#include <poll.h>

namespace troupe::bench {

namespace {

/// A job that makes as many state events as it can, two a millisecond at most.
std::string ticking(std::size_t vertices) {
  std::string all, edges;
  for (std::size_t i = 0; i < vertices; ++i) {
    auto name = "\"v" + std::to_string(i) + "\"";
    all += (i ? "," : "") + std::string{R"({"kind":"delay","config":{"for":"1ms"},"id":)"} + name
           + "}";
    if (i > 0)
      edges += (i > 1 ? "," : "") + std::string{R"({"from":"v)"} + std::to_string(i - 1)
               + R"(","to":)" + name + "}";
  }
  return R"({"graph":{"vertices":[)" + all + R"(],"edges":[)" + edges + "]}}";
}

/// One reader of events: how far it is, and how late what it read was.
struct reader {
  http_connection from;
  std::string rest;
  std::size_t events = 0;
  bool ended = false;
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

void read_events(reader& x, std::vector<double>& late) {
  if (!x.from.read_more())
    throw std::runtime_error{"a reader was cut off"};
  x.rest += x.from.take_chunks();
  auto now = now_of_day_ms();
  std::size_t at = 0;
  for (auto end = x.rest.find('\n', at); end != std::string::npos; end = x.rest.find('\n', at)) {
    auto line = x.rest.substr(at, end - at);
    at = end + 1;
    ++x.events;
    x.ended = line.find("\"event\":\"end\"") != line.npos;
    late.push_back(late_ms(line.substr(line.rfind("\"time\":\"") + 8, 24), now));
  }
  x.rest.erase(0, at);
}

} // namespace

void bench_readers(const http_bench_options& o) {
  constexpr std::size_t vertices = 2'000;
  std::vector<double> p50, p99, cpu, rates, memory;
  for (std::size_t i = 0; i < o.runs; ++i) {
    http_node x{o};
    http_connection c{x.port};
    auto made = c.ask(request_of("POST", "/v1/jobs", ticking(vertices)));
    auto id = made_id(made);
    std::vector<reader> all;
    std::vector<pollfd> polled;
    for (std::size_t k = 0; k < o.readers; ++k) {
      all.push_back({http_connection{x.port}, {}, 0, false});
      all.back().from.send("GET /v1/jobs/" + id
                           + "/events HTTP/1.1\r\nHost: localhost\r\n"
                             "Accept: application/x-ndjson\r\n\r\n");
      polled.push_back({all.back().from.fd(), POLLIN, 0});
    }
    std::vector<double> late;
    auto begin = clock::now();
    auto used = x.cpu();
    for (std::size_t left = all.size(); left > 0;) {
      if (::poll(polled.data(), polled.size(), 30'000) <= 0)
        throw std::runtime_error{"no events come"};
      for (std::size_t k = 0; k < all.size(); ++k) {
        if (!(polled[k].revents & POLLIN) || all[k].ended)
          continue;
        read_events(all[k], late);
        if (all[k].ended) {
          polled[k].fd = -1;
          --left;
        }
      }
    }
    auto took = seconds_since(begin);
    for (auto& r : all)
      if (r.events != all[0].events || r.events < 2 * vertices)
        throw std::runtime_error{"a reader has missed events"};
    p50.push_back(quantile(late, 0.5));
    p99.push_back(quantile(late, 0.99));
    rates.push_back(static_cast<double>(all[0].events) / took);
    cpu.push_back((x.cpu() - used) / took * 100);
    memory.push_back(x.memory().all);
  }
  print_row("events of one job to each of the readers", rates, "1/s", "1,000, all delivered");
  print_row("  from event to reader, p50", p50, "ms", "");
  print_row("  from event to reader, p99", p99, "ms", "");
  print_row("  processor of the node", cpu, "%", "");
  print_row("  memory of the node", memory, "MB", "");
}

} // namespace troupe::bench
