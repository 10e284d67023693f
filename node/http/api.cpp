#include "node/http/api.hpp"

#include "core/decide.hpp"
#include "graph_json/problem_list.hpp"
#include "graph_json/value_json.hpp"
#include "node/http/json_body.hpp"
#include "node/http/list_query.hpp"
#include "node/security/role_text.hpp"
#include "node/show.hpp"

#include <algorithm>

namespace troupe::http {

namespace {

/// Requests with an `Idempotency-Key`, where there is more to say than that it does nothing.
struct key_rule {
  std::string_view path;
  std::optional<std::string_view> instead; ///< Nothing: a key is taken.
};
constexpr key_rule key_rules[] = {
    {"/v1/jobs", {}},
    {"/v1/jobs/{job}:retry", {}},
    {"/api/v1/build/{flow}/flow", {}},
    {"/api/tasks/submit", {}},
    {"/v1/jobs:batch", "give each line an `idempotency_key` of its own"},
    {"/v1/jobs:retry", "repeated as it is it makes no job twice"},
};

void set_key_rules(std::vector<route>& routes) {
  for (auto& rule : key_rules)
    for (auto& x : routes)
      if (x.path == rule.path)
        x.instead_of_key = rule.instead;
}

} // namespace

std::vector<route> api_routes(const api_parts& parts) {
  return api_routes(std::make_shared<api>(parts));
}

std::vector<route> api_routes(const api_ptr& all) {
  std::vector<route> routes;
  add_submit_routes(all, routes);
  add_batch_route(all, routes);
  add_job_routes(all, routes);
  add_bulk_routes(all, routes);
  add_retry_route(all, routes);
  add_event_route(all, routes);
  add_work_routes(all, routes);
  add_graph_routes(all, routes);
  add_blob_routes(all, routes);
  add_flow_routes(all, routes);
  add_task_routes(all, routes);
  add_key_routes(all, routes);
  add_node_routes(all, routes);
  set_key_rules(routes);
  return routes;
}

void refuse_for_now(const api_ptr& in, const call_ptr& x, std::string why) {
  if (in->outside.rejected)
    in->outside.rejected(to_string(ec::overloaded));
  refuse(x, {ec::overloaded, std::move(why)});
}

void on_pool(const api_ptr& in, const call_ptr& x, std::function<void()> task, std::size_t bytes) {
  if (!in->pool.post(std::move(task), false, x->in.body.size() + bytes))
    refuse_for_now(in, x, "too many requests wait for the disk; repeat after a while");
}

bool may_see(const call_ptr& x, const job_info& job) {
  if (job.ns == x->in.who.ns)
    return true;
  refuse(x, core::no_such_job(job.id));
  return false;
}

void with_job(const api_ptr& in, const call_ptr& x, std::function<void(const job_info&)> then) {
  in->node.describe(x->in.arguments.job, [x, then = std::move(then)](const result<job_info>& job) {
    if (!job)
      return refuse(x, job.error());
    if (may_see(x, *job))
      then(*job);
  });
}

response job_answer(int status, const job_info& job) {
  auto answer = json_answer(status, node::to_value(job));
  answer.job = job.id;
  return answer;
}

bool has_bad_query(const call_ptr& x, std::span<const parameter> known) {
  auto good = check_query(x->in.query, known);
  if (!good)
    x->out(problem_answer(refusal::bad_query, good.error().detail));
  return !good;
}

std::optional<bool> cancels_on_disconnect(const call_ptr& x) {
  auto policy = find(x->in.query, "on_disconnect");
  if (!policy || *policy == "detach")
    return false;
  if (*policy != "cancel") {
    x->out(problem_answer(refusal::bad_query,
                          "the parameter `on_disconnect` is `detach` or `cancel`"));
    return {};
  }
  if (node::may(x->in.who.role, action::control))
    return x->in.method != "HEAD"; // It waits for nothing.
  x->out(problem_answer(refusal::forbidden, node::denial(x->in.who.role, action::control,
                                                         ", by `on_disconnect` neither")));
  return {};
}

std::optional<value> members_of(const call_ptr& x, std::span<const std::string_view> known) {
  if (x->in.body.empty())
    return value{value::object{}};
  auto parsed = read_json_body(x->in.body);
  if (auto wrong = refusal_of(parsed)) {
    x->out(std::move(*wrong));
    return {};
  }
  auto& body = parsed.content;
  graph_json::problem_list found;
  graph_json::json_place root{""};
  if (auto members = body.members()) {
    for (auto& [key, ignored] : *members)
      if (std::ranges::find(known, key) == known.end())
        found.unknown_key(root, key, known);
  } else {
    found.wrong_type(root, body, "an object");
  }
  if (found.is_empty())
    return std::move(body);
  x->out(problem_answer(error{ec::invalid_spec, "the request is not valid"}, found.release()));
  return {};
}

std::optional<job_filter> filter_of(const call_ptr& x) {
  auto now = std::chrono::floor<core::duration>(std::chrono::system_clock::now());
  auto filter = filter_in(x->in.query, now);
  if (!filter) {
    x->out(problem_answer(refusal::bad_query, filter.error().detail));
    return {};
  }
  filter->ns = x->in.who.ns;
  return std::move(*filter);
}

} // namespace troupe::http
