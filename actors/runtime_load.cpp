#include "actors/runtime_impl.hpp"

#include <algorithm>

/// The part of `runtime` that asks its actors what they have to do.
namespace troupe {

namespace {

namespace msg = messages;

void add(runtime_load& to, const runtime_load& from) {
  to.waiting_workers += from.waiting_workers;
  to.leases += from.leases;
  for (auto& x : from.mailboxes) {
    auto at = std::ranges::find(to.mailboxes, x.actor, &mailbox_depth::actor);
    if (at == to.mailboxes.end())
      to.mailboxes.push_back(x);
    else
      at->messages += x.messages;
  }
  for (auto& x : from.limits) {
    auto at = std::ranges::find(to.limits, x.limit, &limit_use::limit);
    if (at == to.limits.end())
      to.limits.push_back(x);
    else
      at->in_use += x.in_use, at->most += x.most;
  }
}

/// What the actors have answered; tells the sum of it when the last one has.
class answers {
public:
  explicit answers(runtime::loaded then) : then_(std::move(then)) {}
  ~answers() {
    if (wrong_)
      then_(*wrong_);
    else
      then_(sum_);
  }
  answers(const answers&) = delete;
  answers& operator=(const answers&) = delete;

  void add(const result<runtime_load>& x) {
    std::scoped_lock lock{mutex_};
    if (x)
      troupe::add(sum_, *x);
    else
      wrong_ = x.error();
  }

private:
  std::mutex mutex_;
  runtime::loaded then_;
  runtime_load sum_;
  std::optional<error> wrong_;
};

} // namespace

void runtime::load(loaded then) {
  auto all = std::make_shared<answers>(std::move(then));
  auto ask = [&](auto send) {
    auto done = actors::answered<result<runtime_load>>([all](auto& x) { all->add(x); });
    if (!send(msg::report_load{done}))
      done(closed());
  };
  auto& engine = *impl_->engine;
  all->add(engine.while_open([&]() -> result<runtime_load> {
    runtime_load own;
    own.limits = engine.runners_use();
    return own;
  }));
  for (std::uint16_t i = 0; i < engine.shards(); ++i)
    ask([&](auto m) { // Before what waits already: that is what is asked for.
      return engine.send<caf::message_priority::high>(core::shard_id{i}, std::move(m));
    });
  ask([&](auto m) { return engine.send_board(std::move(m)); });
}

result<runtime_load> runtime::load(std::chrono::milliseconds deadline) {
  return answer_of<result<runtime_load>>([&](auto done) { return load(std::move(done)), true; },
                                         deadline);
}

} // namespace troupe
