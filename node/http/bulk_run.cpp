#include "node/http/bulk_run.hpp"

#include "node/http/batch.hpp"

namespace troupe::http {

namespace {

class bulk_run : public std::enable_shared_from_this<bulk_run> {
public:
  bulk_run(api_ptr in, call_ptr to, std::vector<job_filter> filters, bool dry_run, bulk_step act,
           std::shared_ptr<bulk_slot> slot)
      : in_(std::move(in)),
        to_(std::move(to)),
        slot_(std::move(slot)),
        filters_(std::move(filters)),
        dry_run_(dry_run),
        act_(std::move(act)) {
    for (auto& x : filters_)
      x.limit = limits::http_bulk_in_flight_max;
  }

  void begin() {
    to_->out.when_unwanted([weak = weak_from_this()](unwanted) {
      if (auto self = weak.lock())
        self->unwanted_ = true;
    });
    next();
  }

private:
  void next() {
    in_->pool.post([self = shared_from_this()] { self->act_on_page(); }, true);
  }

  void act_on_page() {
    auto& filter = filters_[at_];
    auto page = in_->node.list_page(filter);
    if (!page)
      return fail(page.error());
    filter.before = page->next;
    if (!filter.before)
      ++at_;
    begun_ = page->jobs.size() + 1; // One for this function: no page ends within it.
    for (auto& x : page->jobs)
      if (dry_run_)
        count(x.id, {});
      else
        act_(x,
             [self = shared_from_this(), id = x.id](const status& how) { self->count(id, how); });
    step_ended();
  }

  void count(job_id id, const status& how) {
    {
      std::scoped_lock lock{mutex_};
      if (how)
        count_done(id);
      else if (how.code() == ec::illegal_request || how.code() == ec::no_such_job)
        ++sum_.refused;
      else if (how.code() == ec::idempotency_conflict)
        ++sum_.repeated;
      else
        sum_.failed = how.error();
    }
    step_ended();
  }

  void count_done(job_id id) {
    if (++sum_.done <= bulk_ids_max)
      sum_.ids += " " + to_string(id);
  }

  void step_ended() {
    if (--begun_ > 0)
      return;
    if (sum_.failed || at_ == filters_.size())
      return end();
    if (unwanted_)
      return fail({ec::not_ready, "the node is about to end, or the client has gone; repeat it "
                                  "for the jobs that are left"});
    next();
  }

  void fail(const error& why) {
    sum_.failed = why;
    end();
  }

  void end() {
    slot_->give_back();
    to_->out(answer_of(sum_, dry_run_));
  }

  const api_ptr in_;
  const call_ptr to_;
  const std::shared_ptr<bulk_slot> slot_;
  std::vector<job_filter> filters_; ///< Each with the place where it goes on.
  std::size_t at_ = 0;              ///< Which of them it is at. Of the page that goes on alone.
  const bool dry_run_;
  const bulk_step act_;
  std::atomic<bool> unwanted_{false};
  std::atomic<std::size_t> begun_{0}; ///< Steps of the page that are not done.
  std::mutex mutex_;
  bulk sum_;
};

value value_of(const bulk& x, bool dry_run) {
  value::object all{{"jobs", static_cast<std::int64_t>(x.done)},
                    {"refused", static_cast<std::int64_t>(x.refused)},
                    {"dry_run", dry_run}};
  if (x.repeated > 0)
    all.emplace("repeated", static_cast<std::int64_t>(x.repeated));
  if (x.failed)
    all.emplace("error", problem_value(*x.failed));
  return all;
}

} // namespace

response answer_of(const bulk& x, bool dry_run) {
  if (x.failed && x.done == 0)
    return problem_answer(*x.failed);
  auto answer = json_answer(200, value_of(x, dry_run));
  answer.done = batch_done(x.done, x.refused, x.ids);
  return answer;
}

namespace {

/// Nothing: there is no room, and the call is answered.
std::shared_ptr<bulk_slot> take_bulk_slot(const api_ptr& in, const call_ptr& to) {
  auto slot = std::make_shared<bulk_slot>(in);
  if (*slot)
    return slot;
  refuse_for_now(in, to,
                 std::to_string(bulk_runs_max)
                     + " requests for all jobs of a filter go on already; repeat it when one of "
                       "them has ended");
  return {};
}

} // namespace

void run_bulk(const api_ptr& in, const call_ptr& to, std::vector<job_filter> filters, bool dry_run,
              bulk_step act) {
  if (auto slot = take_bulk_slot(in, to))
    std::make_shared<bulk_run>(in, to, std::move(filters), dry_run, std::move(act), std::move(slot))
        ->begin();
}

} // namespace troupe::http
