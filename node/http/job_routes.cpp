#include "core/duration.hpp"
#include "core/payload.hpp"
#include "node/http/api.hpp"
#include "node/http/list_query.hpp"
#include "node/show.hpp"

#include <algorithm>

namespace troupe::http {

namespace {

constexpr std::size_t list_usual = 100;

response list_answer(runtime& node, const job_list& page, std::size_t limit) {
  value::list jobs;
  for (auto& x : page.jobs)
    jobs.push_back(node::row_value(x));
  auto partial = page.next && jobs.size() < limit;
  return json_answer(
      200, value::object{
               {"jobs", std::move(jobs)},
               {"next", page.next ? value{cursor_of(*page.next, node.incarnation())} : value{}},
               {"partial", partial}});
}

void list_jobs(const api_ptr& in, const call_ptr& to) {
  constexpr parameter known[] = {{"state"},        {"queue"},      {"label", true}, {"q"},
                                 {"ended_before"}, {"older_than"}, {"cursor"},      {"limit"}};
  if (has_bad_query(to, known))
    return;
  auto filter = filter_of(to);
  if (!filter)
    return;
  auto limit = number_in(to->in.query, "limit", list_usual, 1, limits::rows_page_max);
  if (!limit)
    return to->out(problem_answer(refusal::bad_query, limit.error().detail));
  filter->limit = *limit;
  auto before = job_cursor_in(to->in.query, in->node.incarnation());
  if (!before)
    return to->out(problem_answer(refusal::bad_query, before.error().detail));
  filter->before = *before;
  on_pool(in, to, [in, to, filter = *filter] {
    auto page = in->node.list_page(filter);
    if (!page)
      return refuse(to, page.error());
    to->out(list_answer(in->node, *page, filter.limit));
  });
}

void get_job(const api_ptr& in, const call_ptr& to) {
  if (!has_bad_query(to, {}))
    with_job(in, to, [to](const job_info& job) { to->out(job_answer(200, job)); });
}

response result_answer(const job_info& job) {
  auto all = node::to_value(job);
  if (!terminal(job.state))
    return json_answer(202, all);
  all["result"] = job.result;
  return json_answer(200, all);
}

/// A large result is written as JSON where others need not wait for that.
void answer_result(const api_ptr& in, const call_ptr& to, const job_info& job) {
  if (core::encoded_size(job.result) <= limits::record_value_bytes_max)
    return to->out(result_answer(job));
  on_pool(in, to, [to, job] { to->out(result_answer(job)); });
}

/// Tells the result of a job that has ended, or that it has not.
void tell_result(const api_ptr& in, const call_ptr& to) {
  in->node.get(to->in.arguments.job, [in, to](const result<job_info>& job) {
    if (!job)
      return refuse(to, job.error());
    if (may_see(to, *job))
      answer_result(in, to, *job);
  });
}

/// Answers when the job has ended, the time is over, or nobody waits any more.
void await_result(const api_ptr& in, const call_ptr& to, std::chrono::milliseconds limit,
                  bool cancels) {
  auto id = to->in.arguments.job;
  auto give_up = std::make_shared<std::function<void()>>();
  *give_up = in->node.wait(id, [in, to](const result<job_info>& job) {
    if (!job)
      return refuse(to, job.error());
    if (may_see(to, *job))
      answer_result(in, to, *job);
  });
  auto now = [in, to, give_up] {
    (*give_up)();
    tell_result(in, to);
  };
  to->out.after(limit, now);
  to->out.when_unwanted([in, now, give_up, id, cancels](unwanted why) {
    if (why == unwanted::closing)
      return now();
    (*give_up)();
    if (cancels && why == unwanted::gone)
      in->node.change(id, job_change::cancel, "the client that waited for it has gone",
                      [](const status&) {});
  });
}

void get_result(const api_ptr& in, const call_ptr& to) {
  constexpr parameter known[] = {{"wait"}, {"on_disconnect"}};
  if (has_bad_query(to, known))
    return;
  auto wait = find(to->in.query, "wait");
  auto limit = wait ? core::parse_duration(*wait) : std::chrono::milliseconds{0};
  if (!limit || *limit > limits::http_wait_max)
    return to->out(problem_answer(refusal::bad_query,
                                  "the parameter `wait` is a duration of at most "
                                      + core::to_text(limits::http_wait_max) + ", as in wait=30s"));
  auto cancels = cancels_on_disconnect(to);
  if (!cancels)
    return;
  with_job(in, to, [in, to, limit = *limit, cancels = *cancels](const job_info& job) {
    if (terminal(job.state) || limit == limit.zero())
      return tell_result(in, to);
    await_result(in, to, limit, cancels);
  });
}

value value_of(const vertex_info& x) {
  return value::object{{"id", x.id},
                       {"kind", x.kind},
                       {"state", to_string(x.state)},
                       {"attempts", std::int64_t{x.attempts}},
                       {"error", x.error.code.empty() ? value{} : node::to_value(x.error)}};
}

void list_vertices(const api_ptr& in, const call_ptr& to) {
  constexpr parameter known[] = {{"cursor"}, {"limit"}};
  if (has_bad_query(to, known))
    return;
  auto from = number_in(to->in.query, "cursor", 0, 0, limits::graph_vertices_max);
  auto limit = number_in(to->in.query, "limit", list_usual, 1, limits::rows_page_max);
  for (auto x : {&from, &limit})
    if (!*x)
      return to->out(problem_answer(refusal::bad_query, x->error().detail));
  with_job(in, to, [in, to, from = *from, limit = *limit](const job_info& job) {
    on_pool(in, to, [in, to, id = job.id, from, limit] {
      auto page = in->node.vertices(id, static_cast<std::uint32_t>(from), limit);
      if (!page)
        return refuse(to, page.error());
      value::list all;
      std::ranges::transform(page->vertices, std::back_inserter(all), value_of);
      auto next = page->next ? value{std::to_string(*page->next)} : value{};
      to->out(json_answer(200, value::object{{"vertices", std::move(all)}, {"next", next}}));
    });
  });
}

void delete_job(const api_ptr& in, const call_ptr& to) {
  if (has_bad_query(to, {}))
    return;
  with_job(in, to, [in, to](const job_info& job) {
    in->node.remove(job.id, [to](const status& removed) {
      if (removed)
        to->out({204});
      else
        refuse(to, removed.error());
    });
  });
}

void change_job(const api_ptr& in, const call_ptr& to, job_change step) {
  constexpr std::string_view known[] = {"reason"};
  if (has_bad_query(to, {}))
    return;
  auto body = members_of(to, known);
  if (!body)
    return;
  auto reason = body->find("reason");
  if (reason && !reason->string())
    return refuse(to, {ec::invalid_spec, "reason: it must be a string"});
  auto text = reason ? *reason->string() : "";
  with_job(in, to, [in, to, step, text](const job_info& job) {
    in->node.change(job.id, step, text, [in, to](const status& changed) {
      if (!changed)
        return refuse(to, changed.error());
      with_job(in, to, [to](const job_info& now) { to->out(job_answer(200, now)); });
    });
  });
}

template <job_change Step>
void change(const api_ptr& in, const call_ptr& to) {
  change_job(in, to, Step);
}

} // namespace

void add_job_routes(const api_ptr& to, std::vector<route>& all) {
  using enum body_mode;
  all.push_back({"GET", "/v1/jobs", bound(to, list_jobs)});
  all.push_back({"GET", "/v1/jobs/{job}", bound(to, get_job)});
  all.push_back({"GET", "/v1/jobs/{job}/result", bound(to, get_result)});
  all.push_back({"GET", "/v1/jobs/{job}/vertices", bound(to, list_vertices)});
  all.push_back({"DELETE", "/v1/jobs/{job}", bound(to, delete_job), none, action::remove});
  auto step = [&](std::string verb, auto act) {
    all.push_back(
        {"POST", "/v1/jobs/{job}:" + verb, bound_by_size(to, act), empty, action::control});
  };
  step("cancel", change<job_change::cancel>);
  step("stop", change<job_change::stop>);
  step("pause", change<job_change::pause>);
  step("resume", change<job_change::resume>);
}

} // namespace troupe::http
