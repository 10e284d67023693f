#include "node/http/exclusive.hpp"

#include "core/names.hpp"
#include "node/http/task_record.hpp"

namespace troupe::http {

namespace {

/// Changes with every job of the queue.
constexpr auto turn_key = "troupe/turn";

using row_content = std::vector<std::uint8_t>;

/// A number that grows.
row_content next_turn(const std::optional<row_content>& turn) {
  std::string text = turn ? std::string{turn->begin(), turn->end()} : "0";
  auto next = std::to_string(std::strtoull(text.c_str(), nullptr, 10) + 1);
  return {next.begin(), next.end()};
}

/// What no turn is: a condition that never holds.
const row_content no_turn;

class exclusive_submit : public std::enable_shared_from_this<exclusive_submit> {
public:
  exclusive_submit(api_ptr in, const job_spec& spec, bool waits,
                   std::function<void(const submit_outcome&)> then)
      : in_(std::move(in)), spec_(spec), waits_(waits), then_(std::move(then)) {}

  void begin(const call_ptr& to) {
    if (waits_) {
      auto stop = [weak = weak_from_this()](bool closing) {
        if (auto self = weak.lock())
          self->give_up(closing);
      };
      to->out.after(exclusive_wait_max, [stop] { stop(false); });
      to->out.when_unwanted([stop](unwanted why) { stop(why == unwanted::closing); });
    }
    look_again();
  }

private:
  void look_again() {
    if (!in_->pool.post([self = shared_from_this()] { self->look(); }))
      end({error{ec::overloaded, "too many requests wait for the disk; repeat after a while"}});
  }

  /// On a thread of the pool.
  void look() {
    {
      std::scoped_lock lock{mutex_};
      busy_.reset();
      stop_waiting_ = {};
      if (!then_)
        return; // It was given up.
    }
    auto turn = in_->node.row(spec_.queue, turn_key, spec_.ns);
    auto busy = turn ? unfinished_in(in_->node, spec_.ns, spec_.queue) : turn.error();
    if (!busy)
      return end({busy.error()});
    if (*busy)
      return meet(**busy);
    if (is_given_up())
      return end(given_up({}));
    take_turn(*turn);
  }

  /// Makes the job if the turn is this one, or tells which one it has made before.
  transaction if_turn_is(std::optional<row_content> turn) const {
    transaction x;
    x.ns = spec_.ns;
    x.queue = spec_.queue;
    x.conditions = {{turn_key, std::move(turn)}};
    x.jobs = {spec_};
    return x;
  }

  /// Another request that saw the same turn gets `condition_failed`.
  void take_turn(const std::optional<row_content>& turn) {
    auto x = if_turn_is(turn);
    x.rows = {{turn_key, next_turn(turn)}};
    in_->node.transact(x, [self = shared_from_this()](const result<std::vector<submitted>>& made) {
      if (made)
        return self->end({made->front()});
      if (made.code() != ec::condition_failed)
        return self->repeat([self, why = made.error()] { self->end({why}); });
      if (++self->tries_ > exclusive_tries_max)
        return self->end({error{ec::overloaded, "too many requests want the queue at once; repeat "
                                                "it after a while"}});
      self->look_again();
    });
  }

  /// The queue has a job already. A request that was made before gets its own one all the same.
  void meet(const job_info& job) {
    repeat([self = shared_from_this(), job] { self->stand_by(job); });
  }

  /// Answers with the job that an earlier request with this key has made; `otherwise`: there is
  /// none.
  void repeat(std::function<void()> otherwise) {
    if (spec_.idempotency_key.empty())
      return otherwise();
    in_->node.transact(if_turn_is(no_turn),
                       [self = shared_from_this(), otherwise = std::move(otherwise)](
                           const result<std::vector<submitted>>& made) {
                         if (made.code() == ec::condition_failed)
                           return otherwise();
                         self->end({made ? result<submitted>{made->front()} : made.error()});
                       });
  }

  /// Waits for the end of the queue's job, or refuses.
  void stand_by(const job_info& job) {
    std::unique_lock lock{mutex_};
    if (!waits_ || given_up_) {
      lock.unlock();
      return end(given_up(job));
    }
    busy_ = job;
    lock.unlock();
    auto give_up =
        in_->node.wait(job.id, [self = shared_from_this()](const result<job_info>& ended) {
          if (ended || ended.code() == ec::no_such_job)
            return self->look_again();
          self->end({ended.error()}); // Looking again would come to the same, at once.
        });
    lock.lock();
    if (!given_up_) {
      stop_waiting_ = std::move(give_up);
      return;
    }
    lock.unlock();
    give_up();
  }

  bool is_given_up() {
    std::scoped_lock lock{mutex_};
    return given_up_;
  }

  /// The time is over, the client has gone, or the node ends: no job is made any more.
  void give_up(bool closing) {
    std::unique_lock lock{mutex_};
    given_up_ = true;
    closing_ = closing_ || closing;
    auto busy = std::exchange(busy_, {});
    auto stop = std::exchange(stop_waiting_, {});
    lock.unlock();
    if (stop)
      stop();
    if (busy)
      end(given_up(busy));
  }

  submit_outcome given_up(const std::optional<job_info>& busy) const {
    if (closing_)
      return {ec::not_ready, {}, true};
    if (busy)
      return {ec::not_ready, busy};
    return {
        error{ec::overloaded, "the time of the request was over when its turn came; repeat it"}};
  }

  void end(const submit_outcome& x) {
    std::unique_lock lock{mutex_};
    auto then = std::exchange(then_, {});
    lock.unlock();
    if (then)
      then(x);
  }

  const api_ptr in_;
  const job_spec spec_;
  const bool waits_;
  std::mutex mutex_;
  std::function<void(const submit_outcome&)> then_;
  std::optional<job_info> busy_;
  std::function<void()> stop_waiting_;
  bool given_up_ = false;
  std::atomic<bool> closing_{false}; ///< It was given up because the node ends.
  int tries_ = 0;                    ///< Only for the one look that goes on.
};

} // namespace

exclusive_rule api::rule_of(std::string_view queue) const {
  auto rule = outside.exclusive ? outside.exclusive(queue) : exclusive_rule::none;
  return rule == exclusive_rule::none && queue == task_queue ? exclusive_rule::refuse : rule;
}

result<std::optional<job_info>> unfinished_in(runtime& node, namespace_id ns,
                                              const std::string& queue) {
  job_filter filter;
  filter.ns = ns;
  filter.queue = queue;
  filter.unfinished = true;
  filter.limit = 1;
  auto found = node.list(filter);
  if (!found)
    return found.error();
  return found->empty() ? std::optional<job_info>{} : found->front();
}

void submit_exclusively(const api_ptr& in, const call_ptr& to, const job_spec& spec,
                        exclusive_rule rule, std::function<void(const submit_outcome&)> then) {
  auto waits = rule == exclusive_rule::wait;
  std::make_shared<exclusive_submit>(in, spec, waits, std::move(then))->begin(to);
}

void submit_by_rule(const api_ptr& in, const call_ptr& to, const job_spec& spec,
                    std::function<void(const submit_outcome&)> then) {
  auto rule = in->rule_of(spec.queue);
  if (rule != exclusive_rule::none)
    return submit_exclusively(in, to, spec, rule, std::move(then));
  in->node.submit_once(spec,
                       [then = std::move(then)](const result<submitted>& made) { then({made}); });
}

bool is_refused(const call_ptr& to, const submit_outcome& x) {
  if (x.closing)
    to->out(problem_answer(refusal::closing, "the node ended before the queue was free; there is "
                                             "no job"));
  else if (x.busy)
    to->out(problem_answer(refusal::queue_busy, "the queue " + core::quoted(x.busy->queue)
                                                    + " has the job " + to_string(x.busy->id)
                                                    + ", which is " + to_string(x.busy->state)));
  else if (!x.made)
    refuse(to, x.made.error());
  return x.closing || x.busy || !x.made;
}

std::optional<error> only_alone(const api_ptr& in, const std::string& queue) {
  if (in->rule_of(queue) == exclusive_rule::none)
    return {};
  return error{ec::invalid_spec, "the queue " + core::quoted(queue)
                                     + " is exclusive: it takes jobs one at a time, by POST "
                                       "/v1/jobs, or :retry of one job"};
}

} // namespace troupe::http
