#include "actors/kinds/function_pool.hpp"

#include "troupe/limits.hpp"

#include <algorithm>
#include <system_error>

namespace troupe::actors {

namespace {

std::size_t threads_of(const function_options& x) {
  return x.threads ? x.threads : std::max<std::size_t>(2, std::thread::hardware_concurrency());
}

} // namespace

function_pool::function_pool(function_options options)
    : threads_max_(threads_of(options)),
      abandoned_max_(options.abandoned_max),
      close_max_(options.close_max) {}

void function_pool::orders::carry_out() {
  for (auto& x : ask)
    x->ask();
  for (auto& [x, how] : report)
    x->finish(std::move(how));
}

void function_pool::open() {
  std::lock_guard lock{mutex_};
  timekeeper_ = std::thread{[this] { keep_time(); }};
  start_missing();
}

// A thread that the system refuses is tried again with the next attempt.
void function_pool::start_missing() {
  try {
    while (!closing_ && threads_.size() < threads_max_
           && threads_.size() + abandoned_ < threads_max_ + abandoned_max_) {
      std::thread x{[self = shared_from_this()] { self->work(); }};
      auto id = x.get_id();
      threads_.emplace(id, std::move(x));
    }
  } catch (const std::system_error&) {
  }
}

void function_pool::work() {
  guard_lock lock{mutex_};
  while (true) {
    work_.wait(lock, [this] { return closing_ || !waiting_.empty(); });
    if (closing_ || !run_next(lock))
      return;
  }
}

// False: the thread was given up meanwhile.
bool function_pool::run_next(guard_lock& lock) {
  auto x = waiting_.pop();
  x->pool.thread = std::this_thread::get_id();
  auto& time = x->pool.time.emplace(x->what().timeouts, clock::now());
  running_.insert(x);
  if (time.deadline())
    time_.notify_one();
  lock.unlock();
  auto how = x->run();
  lock.lock();
  if (x->pool.abandoned) {
    --abandoned_;
    start_missing();
    return false;
  }
  running_.erase(x);
  auto why = time.why();
  if (running_.empty())
    idle_.notify_all();
  lock.unlock();
  x->finish(why == core::early_end::none ? std::move(how) : x->ended_by(why));
  x.reset();
  lock.lock();
  return true;
}

std::optional<function_pool::clock::time_point> function_pool::next_deadline() const {
  std::optional<clock::time_point> first;
  for (auto& x : running_)
    if (auto at = x->pool.time->deadline(); at && (!first || *at < *first))
      first = at;
  return first;
}

void function_pool::keep_time() {
  guard_lock lock{mutex_};
  while (!closing_) {
    if (auto at = next_deadline(); !at)
      time_.wait(lock);
    else if (*at > clock::now())
      time_.wait_until(lock, *at);
    orders out;
    auto now = clock::now();
    for (auto& x : std::set{running_})
      obey(x, x->pool.time->advance(now), out);
    lock.unlock();
    out.carry_out();
    lock.lock();
  }
}

void function_pool::obey(const call& x, core::attempt_clock::step due, orders& out) {
  if (due == core::attempt_clock::step::end)
    abandon(x, out);
  else if (due == core::attempt_clock::step::ask)
    out.ask.push_back(x);
}

/// Gives up a call that is to end: its thread goes on without the pool.
void function_pool::abandon(const call& x, orders& out) {
  x->pool.abandoned = true;
  ++abandoned_;
  auto thread = threads_.find(x->pool.thread);
  thread->second.detach();
  threads_.erase(thread);
  out.ask.push_back(x);
  out.report.emplace_back(x, x->ended_by(x->pool.time->why()));
  running_.erase(x);
  if (running_.empty())
    idle_.notify_all();
  start_missing();
  refuse_if_stuck(out);
}

void function_pool::refuse_if_stuck(orders& out) {
  if (!threads_.empty() || closing_)
    return;
  problem why{"functions_stuck", "",
              "no thread is left: " + std::to_string(abandoned_)
                  + " calls did not return after their time; repair the functions, they must heed "
                    "the stop token"};
  for (auto& x : waiting_.clear())
    out.report.emplace_back(x, attempt_report{attempt_end::failed, {}, why});
}

void function_pool::add(call x) {
  orders out;
  {
    std::lock_guard lock{mutex_};
    if (closing_) {
      out.report.emplace_back(x, x->ended_by(core::early_end::cancelled));
    } else {
      start_missing();
      auto proof = x->what().proof;
      waiting_.push(proof, std::move(x));
      work_.notify_one();
      refuse_if_stuck(out);
    }
  }
  out.carry_out();
}

void function_pool::cancel(core::token proof, core::duration grace) {
  orders out;
  {
    std::lock_guard lock{mutex_};
    for (auto& x : waiting_.remove(proof))
      out.report.emplace_back(x, x->ended_by(core::early_end::cancelled));
    auto now = clock::now();
    for (auto& x : std::set{running_})
      if (x->what().proof == proof)
        obey(x, x->pool.time->cancel(grace, now), out);
    time_.notify_one();
  }
  out.carry_out();
}

void function_pool::close() {
  orders out;
  guard_lock lock{mutex_};
  closing_ = true;
  for (auto& x : waiting_.clear())
    out.report.emplace_back(x, x->ended_by(core::early_end::cancelled));
  for (auto& x : running_) {
    x->pool.time->cancel(close_max_, clock::now());
    out.ask.push_back(x);
  }
  work_.notify_all();
  time_.notify_all();
  lock.unlock();
  out.carry_out();
  out = {};
  lock.lock();
  idle_.wait_for(lock, close_max_, [this] { return running_.empty(); });
  for (auto& x : std::set{running_})
    abandon(x, out);
  auto threads = std::exchange(threads_, {});
  lock.unlock();
  out.carry_out();
  timekeeper_.join();
  for (auto& [id, x] : threads)
    x.join();
}

runner_use function_pool::use() const {
  std::lock_guard lock{mutex_};
  return {running_.size(), threads_max_};
}

} // namespace troupe::actors
