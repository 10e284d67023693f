#include "node/http/exclusive.hpp"
#include "node/http/new_job.hpp"
#include "node/http/retry.hpp"

namespace troupe::http {

namespace {

void submit_retry(const api_ptr& in, const call_ptr& to, const retried& x) {
  submit_by_rule(in, to, x.spec, [in, to, x](const submit_outcome& outcome) {
    if (is_refused(to, outcome))
      return;
    auto& made = *outcome.made;
    answer_made(in, to, new_job(x.spec, x.graph, made.id), made.replayed);
  });
}

void retry_one(const api_ptr& in, const call_ptr& to) {
  constexpr std::string_view known[] = {"from"};
  if (has_bad_query(to, {}))
    return;
  auto body = members_of(to, known);
  if (!body)
    return;
  auto from = body->find("from");
  if (from && (!from->string() || from->string()->empty()))
    return refuse(to, {ec::invalid_spec, "from: it must be the name of a vertex"});
  auto vertex = from ? *from->string() : "";
  with_job(in, to, [in, to, vertex](const job_info& job) {
    if (!terminal(job.state))
      return refuse(to, {ec::illegal_request, std::string{"the job is "} + to_string(job.state)
                                                  + "; only one that has ended can be retried"});
    on_pool(in, to, [in, to, vertex, id = job.id] {
      auto x = read_retry(in, id, vertex);
      if (auto wrong = std::get_if<graph_trouble>(&x))
        return to->out(graph_answer(*wrong));
      if (put_in_key(to, std::get<retried>(x).spec))
        submit_retry(in, to, std::get<retried>(x));
    });
  });
}

} // namespace

std::variant<retried, graph_trouble> read_retry(const api_ptr& in, job_id job,
                                                const std::string& from) {
  auto spec = in->node.spec(job);
  if (!spec)
    return graph_trouble{{}, spec.error(), {}};
  job_request asked{std::move(*spec)};
  auto graph = in->graphs.find(asked.spec.ns, asked);
  if (!graph)
    graph = in->graphs.resolve(asked.spec.ns, asked);
  if (auto wrong = std::get_if<graph_trouble>(&*graph))
    return std::move(*wrong);
  asked.spec.reuse = reuse_spec{job, from};
  return retried{std::move(asked.spec), std::move(std::get<known_graph>(*graph))};
}

void add_retry_route(const api_ptr& to, std::vector<route>& all) {
  all.push_back({"POST", "/v1/jobs/{job}:retry", bound_by_size(to, retry_one), body_mode::empty,
                 action::submit});
}

} // namespace troupe::http
