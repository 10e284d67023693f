#include "node/http/bulk_run.hpp"
#include "node/http/exclusive.hpp"
#include "node/http/retry.hpp"

namespace troupe::http {

namespace {

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
  run_bulk(in, to, filter, dry_run, [in, step](const job_info& x, const auto& done) {
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

/// One whose kinds are not allowed any more, or whose queue takes jobs one at a time, is left out;
/// the others go on.
void retry(const api_ptr& in, job_id job, const std::function<void(const status&)>& done) {
  auto x = read_retry(in, job, {});
  if (auto wrong = std::get_if<graph_trouble>(&x))
    return done(wrong->what ? error{ec::illegal_request, wrong->why.detail} : wrong->why);
  auto& spec = std::get<retried>(x).spec;
  if (auto why = only_alone(in, spec.queue))
    return done(error{ec::illegal_request, why->detail});
  in->node.submit_once(spec, [done](const result<submitted>& made) {
    done(made ? status{} : status{made.error()});
  });
}

void retry_all(const api_ptr& in, const call_ptr& to) {
  auto asked = bulk_of(to);
  if (!asked || !has_ended_state(to, asked->first))
    return;
  auto [filter, dry_run] = *asked;
  if (!filter.state)
    filter.state = job_state::failed;
  run_bulk(in, to, filter, dry_run,
           [in](const job_info& x, const auto& done) { retry(in, x.id, done); });
}

void purge_all(const api_ptr& in, const call_ptr& to) {
  auto asked = bulk_of(to);
  if (!asked || !has_ended_state(to, asked->first))
    return;
  auto slot = take_bulk_slot(in, to);
  if (!slot)
    return;
  on_pool(in, to, [in, to, slot, filter = asked->first, dry_run = asked->second] {
    bulk sum;
    if (auto purged = in->node.purge(filter, dry_run))
      sum.done = *purged;
    else
      sum.failed = purged.error();
    slot->give_back();
    to->out(answer_of(sum, dry_run));
  });
}

} // namespace

void add_bulk_routes(const api_ptr& to, std::vector<route>& all) {
  using enum body_mode;
  auto add = [&](std::string path, auto act, action needs = action::control) {
    all.push_back({"POST", std::move(path), bound_by_size(to, act), empty, needs});
  };
  add("/v1/jobs:cancel", change<job_change::cancel>);
  add("/v1/jobs:stop", change<job_change::stop>);
  add("/v1/jobs:pause", change<job_change::pause>);
  add("/v1/jobs:resume", change<job_change::resume>);
  add("/v1/jobs:retry", retry_all, action::submit);
  add("/v1/jobs:purge", purge_all, action::remove);
}

} // namespace troupe::http
