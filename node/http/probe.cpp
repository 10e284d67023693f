#include "node/http/probe.hpp"

#include <future>
#include <mutex>
#include <random>

namespace troupe::http {

namespace {

constexpr unsigned slots = 4096;
constexpr unsigned asked = 64; ///< Slots, evenly apart: each of so many shards has one.

/// An id that no job has, in this slot.
job_id nobody(unsigned slot) {
  thread_local std::mt19937_64 source{std::random_device{}()};
  return {0x7000u | slot, (std::uint64_t{2} << 62) | (source() >> 2)};
}

/// What the shards have answered; tells it when the last one has.
class answers {
public:
  explicit answers(runtime::changed then) : then_(std::move(then)) {}
  ~answers() { then_(sum_); }
  answers(const answers&) = delete;
  answers& operator=(const answers&) = delete;

  void add(const result<job_info>& x) {
    if (x || x.code() == ec::no_such_job)
      return;
    std::scoped_lock lock{mutex_};
    sum_ = x.error();
  }

private:
  std::mutex mutex_;
  status sum_;
  runtime::changed then_;
};

} // namespace

void probe(runtime& node, runtime::changed then) {
  auto all = std::make_shared<answers>(std::move(then));
  for (unsigned i = 0; i < asked; ++i)
    node.describe(nobody(i * (slots / asked)), [all](const result<job_info>& x) { all->add(x); });
}

status probe(runtime& node, std::chrono::milliseconds limit) {
  auto promise = std::make_shared<std::promise<status>>();
  auto answer = promise->get_future();
  probe(node, [promise](const status& x) { promise->set_value(x); });
  if (answer.wait_for(limit) != std::future_status::ready)
    return error{ec::timed_out, "the runtime does not answer"};
  return answer.get();
}

} // namespace troupe::http
