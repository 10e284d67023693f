#include "node/http/api.hpp"
#include "node/http/new_job.hpp"

#include <semaphore>

namespace troupe::http {

namespace {

/// What a bulk request has done.
struct bulk {
  std::size_t done = 0;    ///< Or would be, in a dry run.
  std::size_t refused = 0; ///< Had moved on meanwhile.
  std::optional<error> failed;
};

response answer_of(const bulk& x, bool dry_run) {
  if (x.failed && x.done == 0)
    return problem_answer(*x.failed);
  value::object all{{"jobs", static_cast<std::int64_t>(x.done)},
                    {"refused", static_cast<std::int64_t>(x.refused)},
                    {"dry_run", dry_run}};
  if (x.failed)
    all.emplace("error", problem_value(*x.failed));
  return json_answer(200, all);
}

/// Counts answers that come on any thread, a bounded number of them at once.
class tally : public std::enable_shared_from_this<tally> {
public:
  /// What a step is to be told with.
  std::function<void(const status&)> begin() {
    room_.acquire();
    return [this, alive = shared_from_this()](const status& x) {
      {
        std::scoped_lock lock{mutex_};
        if (x)
          ++sum_.done;
        else if (x.code() == ec::illegal_request || x.code() == ec::no_such_job)
          ++sum_.refused;
        else
          sum_.failed = x.error();
      }
      room_.release();
    };
  }
  bool failed() {
    std::scoped_lock lock{mutex_};
    return sum_.failed.has_value();
  }
  /// Waits for all that was begun.
  bulk end() {
    for (std::size_t i = 0; i < limits::http_bulk_in_flight_max; ++i)
      room_.acquire();
    return sum_;
  }

private:
  std::counting_semaphore<> room_{limits::http_bulk_in_flight_max};
  std::mutex mutex_;
  bulk sum_;
};

/// Makes a job anew of what another one was made from.
void retry(runtime& node, job_id id, const std::string& from,
           std::function<void(const result<submitted>&, const job_spec&)> then) {
  auto spec = node.spec(id);
  if (!spec)
    return then(spec.error(), {});
  spec->reuse = reuse_spec{id, from};
  node.submit_once(*spec, [then, made = *spec](const result<submitted>& x) { then(x, made); });
}

/// Shows every job of the filter to `act`, until that says no.
status each_job(runtime& node, job_filter filter, const std::function<bool(const job_info&)>& act) {
  filter.limit = limits::rows_page_max;
  do {
    auto page = node.list_page(filter);
    if (!page)
      return page.error();
    for (auto& x : page->jobs)
      if (!act(x))
        return {};
    filter.before = page->next;
  } while (filter.before);
  return {};
}

using act_on = std::function<void(const job_info&, std::function<void(const status&)>)>;

bulk act_on_all(runtime& node, const job_filter& filter, bool dry_run, const act_on& act) {
  bulk counted;
  auto all = std::make_shared<tally>();
  auto seen = each_job(node, filter, [&](const job_info& x) {
    if (dry_run)
      ++counted.done;
    else
      act(x, all->begin());
    return !all->failed();
  });
  auto sum = all->end();
  if (dry_run)
    sum = counted;
  if (!seen)
    sum.failed = seen.error();
  return sum;
}

/// The filter and `dry_run` of a bulk request; what is not named must not be meant.
std::optional<std::pair<job_filter, bool>> bulk_of(const call_ptr& to) {
  constexpr parameter known[] = {{"state"}, {"queue"}, {"label", true}, {"dry_run"}};
  if (has_bad_query(to, known))
    return {};
  auto filter = filter_of(to);
  auto dry_run = flag_in(to->in.query, "dry_run");
  if (!filter)
    return {};
  if (!dry_run
      || (!filter->state && !filter->unfinished && !filter->queue && filter->labels.empty())) {
    to->out(problem_answer(refusal::bad_query,
                           dry_run ? "say which jobs are meant: `state`, `queue` or `label`"
                                   : dry_run.error().detail));
    return {};
  }
  return std::pair{*filter, *dry_run};
}

void change_all(const api_ptr& in, const call_ptr& to, job_change step) {
  auto asked = bulk_of(to);
  if (!asked)
    return;
  auto [filter, dry_run] = *asked;
  filter.unfinished = filter.unfinished || !filter.state;
  on_pool(in, to, [in, to, step, filter = filter, dry_run = dry_run] {
    auto sum = act_on_all(in->node, filter, dry_run, [&](const job_info& x, auto done) {
      in->node.change(x.id, step, "a request for all jobs of a filter", done);
    });
    to->out(answer_of(sum, dry_run));
  });
}

template <job_change Step>
void change(const api_ptr& in, const call_ptr& to) {
  change_all(in, to, Step);
}

bool has_ended_state(const call_ptr& to, const job_filter& filter) {
  if (!filter.unfinished && (!filter.state || terminal(*filter.state)))
    return true;
  to->out(problem_answer(refusal::bad_query, "only jobs that have ended are meant here: `state` is "
                                             "`completed`, `failed`, `cancelled` or `stopped`"));
  return false;
}

void retry_all(const api_ptr& in, const call_ptr& to) {
  auto asked = bulk_of(to);
  if (!asked || !has_ended_state(to, asked->first))
    return;
  auto [filter, dry_run] = *asked;
  if (!filter.state)
    filter.state = job_state::failed;
  on_pool(in, to, [in, to, filter = filter, dry_run = dry_run] {
    auto sum = act_on_all(in->node, filter, dry_run, [&](const job_info& x, auto done) {
      retry(in->node, x.id, {}, [done](const result<submitted>& made, const job_spec&) {
        done(made ? status{} : status{made.error()});
      });
    });
    to->out(answer_of(sum, dry_run));
  });
}

void purge_all(const api_ptr& in, const call_ptr& to) {
  auto asked = bulk_of(to);
  if (!asked || !has_ended_state(to, asked->first))
    return;
  on_pool(in, to, [in, to, filter = asked->first, dry_run = asked->second] {
    bulk sum;
    if (auto purged = in->node.purge(filter, dry_run))
      sum.done = *purged;
    else
      sum.failed = purged.error();
    to->out(answer_of(sum, dry_run));
  });
}

void answer_retry(const call_ptr& to, const known_graph& graph, const result<submitted>& made,
                  const job_spec& spec) {
  if (!made)
    return refuse(to, made.error());
  auto answer = job_answer(201, new_job(spec, graph, made->id));
  answer.fields.add("Location", "/v1/jobs/" + to_string(made->id));
  to->out(std::move(answer));
}

void retry_one(const api_ptr& in, const call_ptr& to) {
  constexpr std::string_view known[] = {"from"};
  if (has_bad_query(to, {}))
    return;
  auto body = members_of(to, known);
  if (!body)
    return;
  auto from = body->find("from");
  if (from && !from->string())
    return refuse(to, {ec::invalid_spec, "from: it must be the name of a vertex"});
  auto vertex = from ? *from->string() : "";
  with_job(in, to, [in, to, vertex](const job_info& job) {
    if (!terminal(job.state))
      return refuse(to, {ec::illegal_request, std::string{"the job is "} + to_string(job.state)
                                                  + "; only one that has ended can be retried"});
    on_pool(in, to,
            [in, to, vertex, id = job.id, graph = known_graph{job.graph, job.graph_name, {}}] {
              retry(in->node, id, vertex,
                    [to, graph](const result<submitted>& made, const job_spec& spec) {
                      answer_retry(to, graph, made, spec);
                    });
            });
  });
}

} // namespace

void add_bulk_routes(const api_ptr& to, std::vector<route>& all) {
  using enum body_mode;
  auto add = [&](std::string path, auto act, action needs = action::control) {
    all.push_back({"POST", std::move(path), bound(to, act), empty, needs});
  };
  add("/v1/jobs/{job}:retry", retry_one, action::submit);
  add("/v1/jobs:cancel", change<job_change::cancel>);
  add("/v1/jobs:stop", change<job_change::stop>);
  add("/v1/jobs:pause", change<job_change::pause>);
  add("/v1/jobs:resume", change<job_change::resume>);
  add("/v1/jobs:retry", retry_all, action::submit);
  add("/v1/jobs:purge", purge_all, action::remove);
}

} // namespace troupe::http
