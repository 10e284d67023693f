#include "actors/kinds/jq_runner.hpp"

#include "actors/kinds/early_report.hpp"
#include "actors/kinds/jq_process.hpp"
#include "actors/kinds/poll_until.hpp"
#include "actors/kinds/waiting_line.hpp"
#include "actors/kinds/wake_queue.hpp"
#include "graph_json/value_json.hpp"
#include "troupe/limits.hpp"

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <dlfcn.h>
#include <list>
#include <optional>
#include <thread>
#include <variant>

namespace troupe::actors {

namespace fs = std::filesystem;

namespace {

using clock = jq_process::clock;

struct cancel_request {
  core::token proof;
};

struct close_request {};

using request = std::variant<jq_task, cancel_request, close_request>;

constexpr const char* helper_name = "troupe-jq";

/// The folder of the library that this code is in, or of the program that it was linked into.
fs::path own_folder() {
  Dl_info found{};
  ::dladdr(reinterpret_cast<const void*>(&find_jq_helper), &found);
  return fs::path{found.dli_fname ? found.dli_fname : ""}.parent_path();
}

bool is_program(const fs::path& x) {
  return ::access(x.c_str(), X_OK) == 0 && !fs::is_directory(x);
}

attempt_report failed(std::string code, std::string pointer, std::string detail) {
  return {attempt_end::failed, {}, {std::move(code), std::move(pointer), std::move(detail)}};
}

// The earlier of the two limits: jq programs have nothing to clean up, to ask is to kill.
core::duration limit_of(const timeouts_spec& x) {
  if (x.soft.count() <= 0 || x.hard.count() <= 0)
    return std::max(x.soft, x.hard);
  return std::min(x.soft, x.hard);
}

std::size_t helpers_of(const jq_options& x) {
  return x.helpers_max ? x.helpers_max
                       : std::clamp<std::size_t>(std::thread::hardware_concurrency(), 1, 4);
}

} // namespace

result<fs::path> find_jq_helper() {
  if (auto named = std::getenv("TROUPE_JQ_HELPER"); named && *named)
    return fs::path{named};
  std::error_code error;
  auto folder = fs::read_symlink("/proc/self/exe", error).parent_path();
  for (auto& x :
       {folder, folder / "../libexec/troupe", own_folder() / TROUPE_LIBEXEC_FROM_LIB "/troupe",
        fs::path{TROUPE_LIBEXEC "/troupe"}})
    if (is_program(x / helper_name))
      return x / helper_name;
  return troupe::error{ec::unsupported,
                       "the program troupe-jq is neither in " + folder.string()
                           + " nor in ../libexec/troupe from there, nor where Troupe is installed "
                             "(" TROUPE_LIBEXEC "/troupe); install it, or name it in the "
                             "environment variable TROUPE_JQ_HELPER"};
}

/// The thread and all that only it touches.
class jq_runner::service {
public:
  explicit service(jq_options options)
      : options_(std::move(options)),
        helper_(options_.helper.empty() ? find_jq_helper() : result<fs::path>{options_.helper}),
        helpers_max_(helpers_of(options_)),
        thread_([this] { run(); }) {}

  ~service() {
    requests_.push(close_request{});
    thread_.join();
  }

  void push(request x) { requests_.push(std::move(x)); }
  core::duration run_max() const noexcept { return options_.run_max; }
  runner_use use() const { return {in_use_, helpers_max_}; }

  std::vector<int> pids() const {
    std::lock_guard lock{pids_mutex_};
    return pids_;
  }

private:
  void run();
  void wait();
  void take_requests();
  void handle(jq_task x) {
    auto proof = x.proof;
    waiting_.push(proof, std::move(x));
  }
  void handle(const cancel_request& x);
  void handle(close_request) { closing_ = true; }
  void assign();
  jq_process* free_helper(std::string& trouble);
  void advance(clock::time_point now);
  void publish_pids();
  void close();

  jq_options options_;
  result<fs::path> helper_;
  std::size_t helpers_max_;
  wake_queue<request> requests_;
  waiting_line<jq_task> waiting_;
  std::list<jq_process> helpers_;
  bool closing_ = false;
  std::atomic<std::size_t> in_use_{0}; ///< Helpers that run something.
  mutable std::mutex pids_mutex_;
  std::vector<int> pids_;
  std::thread thread_;
};

void jq_runner::service::run() {
  block_all_signals();
  while (!closing_) {
    assign();
    in_use_ = std::size_t(std::ranges::count_if(helpers_, [](auto& x) { return !x.idle(); }));
    wait();
    take_requests();
    advance(clock::now());
  }
  close();
}

void jq_runner::service::wait() {
  std::vector<pollfd> waits{{requests_.fd(), POLLIN, 0}};
  std::optional<clock::time_point> first;
  for (auto& x : helpers_) {
    x.add_to(waits);
    if (auto at = x.deadline(); at && (!first || *at < *first))
      first = at;
  }
  poll_until(waits, first);
}

void jq_runner::service::take_requests() {
  for (auto& x : requests_.take())
    std::visit([this](auto& r) { handle(std::move(r)); }, x);
}

void jq_runner::service::handle(const cancel_request& x) {
  for (auto& w : waiting_.remove(x.proof))
    w.done(cancelled_report());
  for (auto& h : helpers_)
    if (h.runs(x.proof))
      h.kill(cancelled_report());
}

void jq_runner::service::assign() {
  while (!waiting_.empty()) {
    std::string trouble;
    auto helper = free_helper(trouble);
    if (!helper && trouble.empty())
      return;
    auto next = waiting_.pop();
    if (helper)
      helper->give(std::move(next));
    else
      next.done(failed(helper_ ? "spawn_failed" : "unsupported", "", trouble));
  }
}

// Null and no trouble: all are busy.
jq_process* jq_runner::service::free_helper(std::string& trouble) {
  for (auto& x : helpers_)
    if (x.idle())
      return &x;
  if (helpers_.size() >= helpers_max_)
    return nullptr;
  if (!helper_) {
    trouble = helper_.error().detail;
    return nullptr;
  }
  auto process =
      spawn({.argv = {fs::absolute(*helper_).string(), std::to_string(options_.memory_bytes_max),
                      std::to_string(options_.programs_max)},
             .environment = {},
             .directory = "/",
             .with_stderr = false});
  if (!process) {
    trouble = process.error().detail;
    return nullptr;
  }
  helpers_.emplace_back(std::move(*process));
  publish_pids();
  return &helpers_.back();
}

void jq_runner::service::advance(clock::time_point now) {
  for (auto at = helpers_.begin(); at != helpers_.end();) {
    if (at->advance(now)) {
      ++at;
      continue;
    }
    at = helpers_.erase(at);
    publish_pids();
  }
}

void jq_runner::service::publish_pids() {
  std::lock_guard lock{pids_mutex_};
  pids_.clear();
  for (auto& x : helpers_)
    pids_.push_back(x.pid());
}

void jq_runner::service::close() {
  for (auto& x : helpers_)
    x.kill(cancelled_report());
  while (!helpers_.empty()) {
    wait();
    take_requests();
    advance(clock::now());
  }
  take_requests(); // A report of an end may have started something new.
  for (auto& x : waiting_.clear())
    x.done(cancelled_report());
}

jq_runner::jq_runner(jq_options options)
    : service_(std::make_unique<service>(std::move(options))) {}

jq_runner::~jq_runner() = default;

void jq_runner::start(attempt x, report done, log) {
  auto program = x.config.find("program");
  if (!program || !program->string())
    return done(failed("invalid_config", "/program", "`program` is a string"));
  if (program->string()->find('\0') != std::string::npos)
    return done(failed("jq_compile", "/program", "a program has no NUL character"));
  auto input = graph_json::to_json(x.inputs);
  if (input.size() > limits::value_bytes_max || program->string()->size() > limits::value_bytes_max)
    return done(failed("too_large", "",
                       "program or inputs are beyond " + std::to_string(limits::value_bytes_max)
                           + " bytes"));
  auto own = limit_of(x.timeouts);
  auto is_own = own.count() > 0;
  service_->push(jq_task{x.proof, *program->string(), std::move(input),
                         is_own ? own : service_->run_max(), is_own, std::move(done)});
}

void jq_runner::cancel(core::token proof, core::duration) { service_->push(cancel_request{proof}); }

std::optional<runner_use> jq_runner::use() const { return service_->use(); }

std::vector<int> jq_runner::helper_pids() const { return service_->pids(); }

} // namespace troupe::actors
