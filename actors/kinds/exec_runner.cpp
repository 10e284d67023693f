#include "actors/kinds/exec_runner.hpp"

#include "actors/kinds/exec_process.hpp"
#include "actors/kinds/guard.hpp"
#include "actors/kinds/pid_files.hpp"
#include "actors/kinds/poll_until.hpp"
#include "actors/kinds/waiting_line.hpp"
#include "actors/kinds/wake_queue.hpp"

#include <algorithm>
#include <atomic>
#include <csignal>
#include <optional>
#include <random>
#include <thread>
#include <unistd.h>
#include <variant>

namespace troupe::actors {

namespace {

using clock = exec_process::clock;

constexpr int refusals_untold = 10; // Of one attempt, for want of room; then its log tells.

struct task {
  attempt x;
  attempt_runner::report done;
  attempt_runner::log say;
  int refused = 0; ///< How often there was no room for its process.
};

struct cancel_request {
  core::token proof;
  core::duration grace;
};

struct close_request {};

using request = std::variant<task, cancel_request, close_request>;

struct running {
  core::token proof;
  std::string key;
  attempt_runner::report done;
  std::unique_ptr<exec_process> process;
  bool ready = false; ///< `advance` has something to do.
};

attempt_report without_process(attempt_end how, problem why) { return {how, {}, std::move(why)}; }

attempt_report cancelled_early() {
  return without_process(attempt_end::cancelled, {"cancelled", "", "cancelled before it ran"});
}

std::vector<std::string> own_environment() {
  std::vector<std::string> all;
  for (auto x = environ; x && *x; ++x)
    all.emplace_back(*x);
  return all;
}

constexpr const char* key_name = "TROUPE_IDEMPOTENCY_KEY";
constexpr const char* runner_name = "TROUPE_RUNNER";

/// Of one runner, and no other on this machine.
std::string new_runner_id() {
  std::random_device source;
  std::string id;
  for (int i = 0; i < 4; ++i)
    id += std::to_string(source()) + (i < 3 ? "-" : "");
  return id;
}

std::vector<std::pair<std::string, std::string>> variables_of(const attempt& x,
                                                              const std::string& runner) {
  return {{key_name, x.idempotency_key},
          {runner_name, runner},
          {"TROUPE_JOB", to_string(x.job)},
          {"TROUPE_VERTEX", x.vertex},
          {"TROUPE_ATTEMPT", std::to_string(x.number)}};
}

} // namespace

/// The thread and all that only it touches.
class exec_runner::service {
public:
  explicit service(exec_options options)
      : options_(std::move(options)),
        environment_(options_.environment ? *options_.environment : own_environment()),
        guard_(2 * options_.parallel_max + 64, process_mark{{{runner_name, id_}}}),
        guard_pid_(guard_.pid()),
        thread_([this] { run(); }) {}

  ~service() {
    requests_.push(close_request{});
    thread_.join();
  }

  void push(request x) { requests_.push(std::move(x)); }
  pid_t guard_pid() const noexcept { return guard_pid_; }
  runner_use use() const { return {in_use_, options_.parallel_max}; }

private:
  void run();
  void wait();
  void mark_ready(const std::vector<pollfd>& waits, const std::vector<std::size_t>& first_of);
  void take_requests();
  void handle(task x);
  void handle(const cancel_request& x);
  void handle(close_request) { closing_ = true; }
  void launch_waiting();
  void launch(task x);
  void wait_for_room(task x, const error& why);
  bool has_room() const { return running_.size() < options_.parallel_max; }
  void advance(clock::time_point now);
  void collect(running& x, clock::time_point now);
  void check_guard();
  void restart_guard();
  void close();
  void refuse_waiting();
  std::optional<clock::time_point> deadline() const;

  exec_options options_;
  std::vector<std::string> environment_;
  const std::string id_ = new_runner_id(); ///< Marks all that is started here.
  wake_queue<request> requests_;
  waiting_line<task> waiting_;
  std::vector<running> running_;
  guard guard_;
  std::atomic<pid_t> guard_pid_;
  std::atomic<std::size_t> in_use_{0}; ///< How many of `running_` there are.
  clock::time_point try_again_{};      ///< Nothing is started before.
  std::optional<clock::time_point>
      short_since_; ///< There is no room for a process, while none ends.
  bool closing_ = false;
  clock::time_point give_up_{};
  std::thread thread_;
};

void exec_runner::service::run() {
  block_all_signals();
  while (!closing_) {
    launch_waiting();
    in_use_ = running_.size();
    wait();
    take_requests();
    check_guard();
    advance(clock::now());
  }
  close();
}

void exec_runner::service::wait() {
  std::vector<pollfd> waits{{requests_.fd(), POLLIN, 0}, {guard_.handle(), POLLIN, 0}};
  std::vector<std::size_t> first_of{waits.size()};
  for (auto& x : running_) {
    x.process->add_to(waits);
    first_of.push_back(waits.size());
  }
  poll_until(waits, closing_ ? std::min(give_up_, deadline().value_or(give_up_)) : deadline());
  mark_ready(waits, first_of);
}

// The descriptors of process i begin at first_of[i].
void exec_runner::service::mark_ready(const std::vector<pollfd>& waits,
                                      const std::vector<std::size_t>& first_of) {
  auto now = clock::now();
  for (std::size_t i = 0; i < running_.size(); ++i) {
    auto from = waits.begin() + static_cast<std::ptrdiff_t>(first_of[i]);
    auto to = waits.begin() + static_cast<std::ptrdiff_t>(first_of[i + 1]);
    auto at = running_[i].process->deadline();
    running_[i].ready =
        std::any_of(from, to, [](auto& x) { return x.revents != 0; }) || (at && *at <= now);
  }
}

void exec_runner::service::take_requests() {
  for (auto& x : requests_.take())
    std::visit([this](auto& r) { handle(std::move(r)); }, x);
}

void exec_runner::service::handle(task x) {
  auto proof = x.x.proof;
  waiting_.push(proof, std::move(x));
}

void exec_runner::service::handle(const cancel_request& x) {
  for (auto& w : waiting_.remove(x.proof))
    w.done(cancelled_early());
  auto now = clock::now();
  for (auto& r : running_)
    if (r.proof == x.proof) {
      if (!r.process->collected() && r.process->has_exited())
        collect(r, now); // It was first.
      r.ready = true;
      r.process->cancel(x.grace, now);
    }
}

void exec_runner::service::launch_waiting() {
  while (!waiting_.empty() && has_room() && try_again_ <= clock::now())
    launch(waiting_.pop());
}

/// Puts `x` back until a process ends, or for a pause. It has failed if none runs and that lasts.
void exec_runner::service::wait_for_room(task x, const error& why) {
  auto now = clock::now();
  if (!short_since_)
    short_since_ = now;
  if (running_.empty() && now - *short_since_ >= options_.spawn_wait_max)
    return x.done(without_process(attempt_end::failed, {"spawn_failed", "", why.detail}));
  if (++x.refused == refusals_untold)
    x.say(why.detail + "; it is tried again until there is room\n");
  try_again_ = now + options_.spawn_retry;
  auto proof = x.x.proof;
  waiting_.put_back(proof, std::move(x));
}

void exec_runner::service::launch(task x) {
  exec_config config;
  if (auto wrong = read_exec_config(x.x.config, config))
    return x.done(without_process(attempt_end::failed, std::move(*wrong)));
  auto process =
      spawn({.argv = config.argv,
             .environment = exec_environment(environment_, config, variables_of(x.x, id_)),
             .directory = config.cwd,
             .guard = guard_.door()});
  if (!process && process.code() == ec::overloaded)
    return wait_for_room(std::move(x), process.error());
  short_since_.reset();
  if (!process)
    return x.done(
        without_process(attempt_end::failed, {"spawn_failed", "", process.error().detail}));
  auto written = write_pid_file(options_.run_dir, process->pid, x.x.idempotency_key);
  if (!written)
    x.say(written.error().detail + "\n");
  running_.push_back({x.x.proof, x.x.idempotency_key, std::move(x.done),
                      std::make_unique<exec_process>(std::move(*process), x.x, std::move(config),
                                                     std::move(x.say), options_)});
}

void exec_runner::service::advance(clock::time_point now) {
  for (std::size_t i = 0; i < running_.size();) {
    auto& x = running_[i];
    if (!x.ready) {
      ++i;
      continue;
    }
    if (!x.process->collected() && x.process->has_exited())
      collect(x, now);
    x.process->advance(now);
    if (!x.process->finished()) {
      ++i;
      continue;
    }
    auto ended = std::move(x);
    running_.erase(running_.begin() + static_cast<std::ptrdiff_t>(i));
    try_again_ = {};
    short_since_.reset();
    auto how = ended.process->report();
    ended.process.reset(); // Whoever hears of the end finds nothing of it open.
    ended.done(std::move(how));
  }
}

void exec_runner::service::collect(running& x, clock::time_point now) {
  signal_group(x.process->process(), SIGKILL);
  auto told = guard::leave(guard_.door(), x.process->pid()); // Before the id can be another's.
  remove_pid_file(options_.run_dir, x.process->pid());
  x.process->collect(now);
  if (x.process->ended_early() && !closing_) // What has left its group, too.
    process_mark{{{runner_name, id_}, {key_name, x.key}}}.kill_all();
  if (!told)
    restart_guard();
}

void exec_runner::service::check_guard() {
  pollfd died{guard_.handle(), POLLIN, 0};
  if (guard_.handle() < 0 ? !running_.empty() : ::poll(&died, 1, 0) > 0)
    restart_guard();
}

void exec_runner::service::restart_guard() {
  guard_.restart();
  guard_pid_ = guard_.pid();
  for (auto& x : running_)
    if (!x.process->collected())
      guard::enter(guard_.door(), x.process->pid());
}

std::optional<clock::time_point> exec_runner::service::deadline() const {
  std::optional<clock::time_point> first;
  if (!closing_ && !waiting_.empty() && has_room())
    first = try_again_;
  for (auto& x : running_)
    if (auto at = x.process->deadline(); at && (!first || *at < *first))
      first = at;
  return first;
}

void exec_runner::service::refuse_waiting() {
  for (auto& x : waiting_.clear())
    x.done(cancelled_early());
}

void exec_runner::service::close() {
  refuse_waiting();
  give_up_ = clock::now() + options_.close_grace + options_.close_max;
  for (auto& x : running_)
    x.process->cancel(options_.close_grace, clock::now());
  while (!running_.empty() && clock::now() < give_up_) {
    wait();
    take_requests();
    advance(clock::now());
  }
  for (auto& x : running_) // Stuck in the system. The guard kills its group once more.
    x.done(x.process->report());
  take_requests(); // A report of an end may have started something new.
  refuse_waiting();
  process_mark{{{runner_name, id_}}}.kill_all();
}

exec_runner::exec_runner(exec_options options)
    : service_(std::make_unique<service>(std::move(options))) {}

exec_runner::~exec_runner() = default;

void exec_runner::start(attempt x, report done, log say) {
  service_->push(task{std::move(x), std::move(done), std::move(say)});
}

void exec_runner::cancel(core::token proof, core::duration grace) {
  service_->push(cancel_request{proof, grace});
}

std::optional<runner_use> exec_runner::use() const { return service_->use(); }

pid_t exec_runner::guard_pid() const noexcept { return service_->guard_pid(); }

} // namespace troupe::actors
