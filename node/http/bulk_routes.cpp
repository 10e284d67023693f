#include "core/names.hpp"
#include "node/http/bulk_run.hpp"
#include "node/http/exclusive.hpp"
#include "node/http/new_job.hpp"
#include "node/http/retry.hpp"

namespace troupe::http {

namespace {

constexpr parameter change_parameters[] = {
    {"state"}, {"queue"}, {"label", true}, {"q"}, {"dry_run"}};
constexpr parameter ended_parameters[] = {{"state"},        {"queue"},      {"label", true}, {"q"},
                                          {"ended_before"}, {"older_than"}, {"dry_run"}};

bool names_something(const job_filter& x) {
  return x.state || x.unfinished || x.queue || !x.labels.empty() || !x.text.empty()
         || x.ended_before;
}

/// The filter and `dry_run` of a bulk request; what is not named must not be meant.
std::optional<std::pair<job_filter, bool>> bulk_of(const call_ptr& to,
                                                   std::span<const parameter> known) {
  if (has_bad_query(to, known))
    return {};
  auto filter = filter_of(to);
  auto dry_run = flag_in(to->in.query, "dry_run");
  if (!filter)
    return {};
  if (!dry_run || !names_something(*filter)) {
    std::vector<std::string_view> names;
    for (auto& x : known.first(known.size() - 1))
      names.push_back(x.name);
    to->out(problem_answer(refusal::bad_query,
                           dry_run ? "say which jobs are meant: " + core::listed(names)
                                   : dry_run.error().detail));
    return {};
  }
  return std::pair{*filter, *dry_run};
}

/// A step counts, and changes, only jobs that go on.
bool has_unfinished_state(const call_ptr& to, const job_filter& filter) {
  if (!filter.state || !terminal(*filter.state))
    return true;
  to->out(problem_answer(refusal::bad_query,
                         "only jobs that have not ended are meant here: `state` is `pending`, "
                         "`running`, `paused`, `cancelling`, `stopping` or `unfinished`"));
  return false;
}

void change_all(const api_ptr& in, const call_ptr& to, job_change step) {
  auto asked = bulk_of(to, change_parameters);
  if (!asked || !has_unfinished_state(to, asked->first))
    return;
  auto [filter, dry_run] = *asked;
  filter.unfinished = filter.unfinished || !filter.state;
  run_bulk(in, to, {filter}, dry_run, [in, step](const job_info& x, const auto& done) {
    in->node.change(x.id, step, "a request for all jobs of a filter", done);
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

/// How a retry went whose key tells it from others: a job has one of this kind, so who repeats the
/// request goes on with the jobs that are left.
status outcome_of(const result<submitted>& made) {
  if (made.code() == ec::idempotency_conflict) // Somebody else has used the key.
    return error{ec::illegal_request, made.error().detail};
  if (made && made->replayed)
    return error{ec::idempotency_conflict, "it was retried by an earlier request"};
  return made ? status{} : status{made.error()};
}

/// One whose kinds are not allowed any more, or whose queue takes jobs one at a time, is left out;
/// the others go on.
void retry(const api_ptr& in, job_id job, const std::function<void(const status&)>& done) {
  auto x = read_retry(in, job, {});
  if (auto wrong = std::get_if<graph_trouble>(&x))
    return done(wrong->what ? error{ec::illegal_request, wrong->why.detail} : wrong->why);
  auto& spec = std::get<retried>(x).spec;
  if (auto why = only_alone(in, spec.queue))
    return done(error{ec::illegal_request, why->detail});
  spec.idempotency_key = "retry/" + to_string(job);
  spec.request_digest = digest_text(spec.idempotency_key);
  in->node.submit_once(spec, [done](const result<submitted>& made) { done(outcome_of(made)); });
}

void retry_all(const api_ptr& in, const call_ptr& to) {
  auto asked = bulk_of(to, ended_parameters);
  if (!asked || !has_ended_state(to, asked->first))
    return;
  auto [filter, dry_run] = *asked;
  if (!filter.state)
    filter.state = job_state::failed;
  run_bulk(in, to, {filter}, dry_run,
           [in](const job_info& x, const auto& done) { retry(in, x.id, done); });
}

/// A filter for each state that a job may have ended in, unless it names one.
std::vector<job_filter> by_end(const job_filter& x) {
  if (x.state)
    return {x};
  std::vector<job_filter> all;
  for (auto state :
       {job_state::completed, job_state::failed, job_state::cancelled, job_state::stopped})
    all.emplace_back(x).state = state;
  return all;
}

void purge_all(const api_ptr& in, const call_ptr& to) {
  auto asked = bulk_of(to, ended_parameters);
  if (asked && has_ended_state(to, asked->first))
    run_bulk(in, to, by_end(asked->first), asked->second,
             [in](const job_info& x, const auto& done) { in->node.remove(x.id, done); });
}

} // namespace

void add_bulk_routes(const api_ptr& to, std::vector<route>& all) {
  using enum body_mode;
  auto add = [&](std::string path, auto act, action needs = action::control) {
    all.push_back({"POST", std::move(path), bound(to, act), none, needs});
  };
  add("/v1/jobs:cancel", change<job_change::cancel>);
  add("/v1/jobs:stop", change<job_change::stop>);
  add("/v1/jobs:pause", change<job_change::pause>);
  add("/v1/jobs:resume", change<job_change::resume>);
  add("/v1/jobs:retry", retry_all, action::submit);
  add("/v1/jobs:purge", purge_all, action::remove);
}

} // namespace troupe::http
