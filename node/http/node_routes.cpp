#include "node/http/api.hpp"
#include "node/http/openapi.hpp"
#include "node/http/probe.hpp"
#include "node/http/shared_run.hpp"

#include <algorithm>

namespace troupe::http {

namespace {

void show_live(const api_ptr&, const call_ptr& to) { to->out({200, "text/plain", "ok\n"}); }

constexpr std::chrono::seconds ready_time{2}; ///< For the runtime to answer.

void tell_ready(const call_ptr& to, const std::vector<ready_part>& parts, bool verbose) {
  auto ready = true;
  std::string lines;
  for (auto& x : parts) {
    ready = ready && x.now;
    lines +=
        (x.now ? "[+] " + x.name + " ok" : "[-] " + x.name + ": " + x.now.error().detail) + "\n";
  }
  response out{ready ? 200 : 503, "text/plain", verbose ? lines : ready ? "ok\n" : "not ready\n"};
  if (!ready)
    out.fields.add("Retry-After", "1");
  to->out(std::move(out));
}

using ready_parts = std::vector<ready_part>;
using ready_run = shared_run<ready_parts>;

/// The parts are looked at by the pool: a disk that hangs must not keep other answers back.
void look_ready(const api_ptr& in, const ready_run::round_ptr& round) {
  probe(in->node, [in, round](const status& answers) {
    auto look = [in, round, answers] {
      ready_parts parts{{"runtime", answers}};
      if (auto& others = in->outside.ready_parts)
        for (auto& x : others())
          parts.push_back(std::move(x));
      round->answer = std::move(parts);
    };
    in->pool.post(std::move(look), true); // There is one at a time.
  });
}

void show_ready(ready_run& looks, const call_ptr& to) {
  constexpr parameter known[] = {{"verbose"}};
  if (has_bad_query(to, known))
    return;
  auto flag = flag_in(to->in.query, "verbose");
  if (!flag)
    return to->out(problem_answer(refusal::bad_query, flag.error().detail));
  auto verbose = *flag;
  const ready_parts silent{{"runtime", error{ec::timed_out, "it does not answer"}}};
  to->out.after(ready_time, [to, verbose, silent] { tell_ready(to, silent, verbose); });
  auto tell = [to, verbose](const result<ready_parts>& parts) {
    const ready_parts ending{{"runtime", error{ec::not_ready, "the node is about to end"}}};
    tell_ready(to, parts ? *parts : ending, verbose);
  };
  if (!looks.ask(tell))
    tell_ready(to, silent, verbose);
}

std::vector<limit_use> limits_of(const api& in) {
  auto waiting = in.pool.waiting();
  return {{"http_bulk_runs", std::min(in.bulk_runs.load(), bulk_runs_max), bulk_runs_max},
          {"http_work_waiting", waiting.tasks, limits::http_work_waiting_max},
          {"http_work_waiting_bytes", waiting.bytes, work_waiting_bytes_max}};
}

using scrape_run = shared_run<std::string>;

void scrape(const api_ptr& in, const scrape_run::round_ptr& round) {
  auto look = [in, round] { round->answer = in->outside.metrics(limits_of(*in)); };
  in->pool.post(std::move(look), true); // Also while all else is refused; there is one at a time.
}

void show_metrics(const api_ptr& in, scrape_run& scrapes, const call_ptr& to) {
  if (!in->outside.metrics)
    return to->out(problem_answer(refusal::no_metrics, "this node has no metrics"));
  scrapes.ask([to](const result<std::string>& text) {
    to->out(text ? response{200, "text/plain; version=0.0.4; charset=utf-8", *text}
                 : problem_answer(refusal::closing, "the node is about to end"));
  });
}

void show_openapi(const api_ptr&, const call_ptr& to) {
  to->out({200, "application/json", std::string{openapi_json()}});
}

void show_stats(const api_ptr& in, const call_ptr& to) {
  if (has_bad_query(to, {}))
    return;
  on_pool(in, to, [in, to] {
    auto counts = in->node.totals();
    if (!counts)
      return refuse(to, counts.error());
    value::list queues;
    for (auto& x : *counts)
      if (x.ns == to->in.who.ns)
        queues.emplace_back(value::object{{"queue", x.queue},
                                          {"state", to_string(x.state)},
                                          {"jobs", static_cast<std::int64_t>(x.jobs)},
                                          {"bytes", static_cast<std::int64_t>(x.bytes)}});
    to->out(json_answer(
        200, value::object{{"queues", std::move(queues)},
                           {"incarnation", static_cast<std::int64_t>(in->node.incarnation())}}));
  });
}

} // namespace

void add_node_routes(const api_ptr& to, std::vector<route>& all) {
  using enum body_mode;
  auto looks =
      std::make_shared<ready_run>([to](const auto& round) { look_ready(to, round); }, ready_time);
  auto scrapes = std::make_shared<scrape_run>([to](const auto& round) { scrape(to, round); });
  auto ready = [looks](const call_ptr& x) { show_ready(*looks, x); };
  auto metrics = [to, scrapes](const call_ptr& x) { show_metrics(to, *scrapes, x); };
  all.push_back({"GET", "/livez", bound(to, show_live), none, {}});
  all.push_back({"GET", "/readyz", ready, none, {}});
  auto scraper = to->outside.metrics_need_key ? std::optional{action::look} : std::nullopt;
  all.push_back({"GET", "/metrics", metrics, none, scraper});
  all.push_back({"GET", "/v1/openapi.json", bound(to, show_openapi), none, {}});
  all.push_back({"GET", "/v1/stats", bound(to, show_stats)});
}

} // namespace troupe::http
