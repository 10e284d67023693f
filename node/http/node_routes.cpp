#include "node/http/api.hpp"
#include "node/http/openapi.hpp"
#include "node/http/probe.hpp"

namespace troupe::http {

namespace {

void show_live(const api_ptr&, const call_ptr& to) { to->out({200, "text/plain", "ok\n"}); }

constexpr std::chrono::seconds ready_time{2}; ///< For the runtime to answer.

std::string check_line(bool good, std::string_view name, std::string_view why) {
  return std::string{good ? "[+] " : "[-] "} + std::string{name}
         + (good ? " ok" : ": " + std::string{why}) + "\n";
}

void show_ready(const api_ptr& in, const call_ptr& to) {
  constexpr parameter known[] = {{"verbose"}};
  if (has_bad_query(to, known))
    return;
  auto verbose = find(to->in.query, "verbose") != nullptr;
  auto tell = [in, to, verbose](const status& x) {
    auto answers = bool(x);
    auto found = in->outside.troubles ? in->outside.troubles() : problems{};
    auto text = check_line(answers, "runtime", answers ? "" : x.error().detail);
    for (auto& wrong : found)
      text += check_line(false, wrong.code, wrong.detail);
    auto ready = answers && found.empty();
    response out{ready ? 200 : 503, "text/plain", verbose ? text : ready ? "ok\n" : "not ready\n"};
    if (!ready)
      out.fields.add("Retry-After", "1");
    to->out(std::move(out));
  };
  to->out.after(ready_time, [tell] { tell(error{ec::timed_out, "it does not answer"}); });
  probe(in->node, tell);
}

void show_metrics(const api_ptr& in, const call_ptr& to) {
  if (!in->outside.metrics)
    return to->out(problem_answer(refusal::no_metrics, "this node has no metrics"));
  on_pool(in, to, [in, to] {
    to->out({200, "text/plain; version=0.0.4; charset=utf-8", in->outside.metrics()});
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
  all.push_back({"GET", "/livez", bound(to, show_live), none, {}});
  all.push_back({"GET", "/readyz", bound(to, show_ready), none, {}});
  auto scraper = to->outside.metrics_need_key ? std::optional{action::look} : std::nullopt;
  all.push_back({"GET", "/metrics", bound(to, show_metrics), none, scraper});
  all.push_back({"GET", "/v1/openapi.json", bound(to, show_openapi), none, {}});
  all.push_back({"GET", "/v1/stats", bound(to, show_stats)});
}

} // namespace troupe::http
