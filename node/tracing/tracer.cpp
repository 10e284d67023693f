#include "node/tracing/tracer.hpp"

#include "storage/own_thread.hpp"

#include <condition_variable>
#include <deque>
#include <mutex>
#include <random>

namespace troupe::node {

namespace {

using clock = std::chrono::steady_clock;

constexpr std::size_t events_at_once = 1'000;
constexpr std::chrono::seconds event_patience{5}; ///< All events of an ended job are there.

/// A source of chance for this thread.
std::mt19937_64& chance() {
  thread_local std::mt19937_64 source{std::random_device{}()};
  return source;
}

} // namespace

struct tracer::impl {
  impl(tracing_options x, send to, report told)
      : options(std::move(x)), post(std::move(to)), say(std::move(told)) {}

  /// Keeps in mind which jobs have ended.
  struct listener final : troupe::observer {
    explicit listener(impl& in) : to(in) {}
    void job_stepped(const observed_job& job, const job_step& step) override {
      if (terminal(step.to))
        to.add(job.id);
    }
    impl& to;
  };

  void add(job_id id);
  std::optional<job_id> next();
  void run(runtime& from);
  status read(runtime& from, job_id id);
  void flush();
  void tell_dropped();
  bool pause(std::chrono::milliseconds time);
  std::chrono::milliseconds time_left() const;

  const tracing_options options;
  const send post;
  const report say;
  listener heard{*this};
  mutable std::mutex mutex;
  std::condition_variable changed;
  std::deque<job_id> waiting; ///< They have ended.
  tracing_stats counted;
  bool stopping = false;
  clock::time_point until = clock::time_point::max(); ///< Then it gives up.
  std::vector<span> batch;                            ///< Only of the thread.
  std::uint64_t told_dropped = 0;                     ///< Likewise: jobs that it has told of.
  std::jthread thread;
};

void tracer::impl::add(job_id id) {
  std::scoped_lock lock{mutex};
  if (waiting.size() >= options.jobs_waiting_max) {
    ++counted.jobs_dropped;
    return;
  }
  waiting.push_back(id);
  changed.notify_one();
}

/// The next job, waiting for one; nothing once it stops and none is left, or there is no time.
std::optional<job_id> tracer::impl::next() {
  std::unique_lock lock{mutex};
  if (waiting.empty() && !batch.empty())
    return {}; // Send what there is first.
  changed.wait(lock, [this] { return stopping || !waiting.empty(); });
  if (waiting.empty())
    return {};
  auto x = waiting.front();
  waiting.pop_front();
  return x;
}

void tracer::impl::run(runtime& from) {
  for (;;) {
    auto job = next();
    if (job && (time_left() <= std::chrono::milliseconds::zero() || !read(from, *job))) {
      std::scoped_lock lock{mutex};
      ++counted.jobs_dropped;
    }
    if (!job || batch.size() >= options.batch_spans) {
      flush();
      tell_dropped();
      std::scoped_lock lock{mutex};
      if (stopping && waiting.empty())
        return;
    }
  }
}

/// Makes the spans of a job, if it is in a trace that somebody wants.
status tracer::impl::read(runtime& from, job_id id) {
  auto job = from.get(id);
  if (!job)
    return job.error();
  auto found = job->labels.find(core::trace_label);
  auto trace = found == job->labels.end() ? std::nullopt : core::parse_trace(found->second);
  if (!trace || !trace->sampled)
    return {};
  auto events = from.events(id, 1);
  if (!events)
    return events.error();
  job_spans spans{*job, *trace};
  for (;;) {
    auto patience = std::min<std::chrono::milliseconds>(event_patience, time_left());
    if (patience <= patience.zero())
      return error{ec::timed_out, "there was no time to read the events of a job"};
    auto some = events->next(patience, events_at_once);
    if (!some)
      return some.error();
    for (auto& event : *some)
      spans.add(event);
    if (some->empty() || some->back().type == "end")
      break;
  }
  auto all = std::move(spans).take();
  batch.insert(batch.end(), std::make_move_iterator(all.begin()),
               std::make_move_iterator(all.end()));
  return {};
}

std::chrono::milliseconds tracer::impl::time_left() const {
  std::scoped_lock lock{mutex};
  if (until == clock::time_point::max())
    return std::chrono::milliseconds::max();
  return std::chrono::floor<std::chrono::milliseconds>(until - clock::now());
}

/// Waits; false if there is no time for that.
bool tracer::impl::pause(std::chrono::milliseconds time) {
  std::unique_lock lock{mutex};
  auto due = clock::now() + time;
  while (clock::now() < due && clock::now() < until)
    changed.wait_until(lock, std::min(due, until));
  return clock::now() < until;
}

/// Sends the batch, a bounded number of times.
void tracer::impl::flush() {
  if (batch.empty())
    return;
  auto json = otlp_json(batch, options.service, options.version);
  auto count = std::exchange(batch, {}).size();
  status sent = error{ec::timed_out, "there was no time to send spans"};
  auto wait = options.repeat_after;
  for (unsigned i = 0; i < options.sends_max; ++i, wait *= 2) {
    auto limit = std::min(options.send_time, time_left());
    if (limit <= limit.zero())
      break;
    sent = post(json, limit);
    if (sent || sent.code() != ec::overloaded || (i + 1 < options.sends_max && !pause(wait)))
      break;
  }
  if (!sent && say)
    say(std::to_string(count) + " spans are lost: " + sent.error().detail);
  std::scoped_lock lock{mutex};
  (sent ? counted.spans_exported : counted.spans_failed) += count;
}

/// Says how many jobs were left out since it last did.
void tracer::impl::tell_dropped() {
  auto now = (std::scoped_lock{mutex}, counted.jobs_dropped);
  auto count = now - std::exchange(told_dropped, now);
  if (count == 0 || !say)
    return;
  auto why = time_left() <= std::chrono::milliseconds::zero()
                 ? "there was no time left for them"
                 : "too many waited, or they could not be read";
  say(std::to_string(count) + " ended jobs are left without spans: " + why);
}

tracer::tracer(tracing_options options, send to, report told)
    : impl_(std::make_shared<impl>(std::move(options), std::move(to), std::move(told))) {}

tracer::~tracer() { stop(std::chrono::milliseconds{0}); }

std::shared_ptr<troupe::observer> tracer::observer() const { return {impl_, &impl_->heard}; }

void tracer::start(runtime& from) {
  impl_->thread = storage::own_thread([x = impl_.get(), &from] { x->run(from); });
}

void tracer::stop(std::chrono::milliseconds limit) {
  std::jthread ending; // Waited for without the lock.
  std::scoped_lock lock{impl_->mutex};
  impl_->stopping = true;
  impl_->until = std::min(impl_->until, clock::now() + limit);
  impl_->changed.notify_all();
  ending = std::move(impl_->thread);
}

std::string tracer::new_trace() const {
  if (chance()() % 100 >= impl_->options.sample_percent)
    return {};
  auto high = chance()(), low = chance()();
  return core::to_text(root_trace(high, low == 0 ? 1 : low));
}

tracing_stats tracer::stats() const {
  std::scoped_lock lock{impl_->mutex};
  return impl_->counted;
}

} // namespace troupe::node
