#include "node/http/bulk_run.hpp"

namespace troupe::http {

namespace {

class bulk_run : public std::enable_shared_from_this<bulk_run> {
public:
  bulk_run(api_ptr in, call_ptr to, const job_filter& filter, bool dry_run, bulk_step act,
           std::shared_ptr<bulk_slot> slot)
      : in_(std::move(in)),
        to_(std::move(to)),
        slot_(std::move(slot)),
        filter_(filter),
        dry_run_(dry_run),
        act_(std::move(act)) {
    filter_.limit = limits::http_bulk_in_flight_max;
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
    auto page = in_->node.list_page(filter_);
    if (!page)
      return fail(page.error());
    filter_.before = page->next;
    begun_ = page->jobs.size() + 1; // One for this function: no page ends within it.
    for (auto& x : page->jobs)
      if (dry_run_)
        count({});
      else
        act_(x, [self = shared_from_this()](const status& how) { self->count(how); });
    step_ended();
  }

  void count(const status& how) {
    {
      std::scoped_lock lock{mutex_};
      if (how)
        ++sum_.done;
      else if (how.code() == ec::illegal_request || how.code() == ec::no_such_job)
        ++sum_.refused;
      else
        sum_.failed = how.error();
    }
    step_ended();
  }

  void step_ended() {
    if (--begun_ > 0)
      return;
    if (sum_.failed || !filter_.before)
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
  job_filter filter_;
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
  if (x.failed)
    all.emplace("error", problem_value(*x.failed));
  return all;
}

} // namespace

response answer_of(const bulk& x, bool dry_run) {
  if (x.failed && x.done == 0)
    return problem_answer(*x.failed);
  auto answer = json_answer(200, value_of(x, dry_run));
  answer.done = "jobs " + std::to_string(x.done) + ", refused " + std::to_string(x.refused);
  return answer;
}

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

void run_bulk(const api_ptr& in, const call_ptr& to, const job_filter& filter, bool dry_run,
              bulk_step act) {
  if (auto slot = take_bulk_slot(in, to))
    std::make_shared<bulk_run>(in, to, filter, dry_run, std::move(act), std::move(slot))->begin();
}

} // namespace troupe::http
