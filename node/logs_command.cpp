#include "node/logs_command.hpp"

#include "node/interrupts.hpp"
#include "node/job_reader.hpp"
#include "node/owner.hpp"
#include "node/show.hpp"
#include "node/told_events.hpp"

#include <algorithm>
#include <chrono>
#include <thread>

namespace troupe::node {

namespace {

using namespace std::chrono_literals;
using clock = std::chrono::steady_clock;

constexpr auto look_every = 100ms;  // At least, and for signals.
constexpr int rest_per_reading = 4; // A large directory is not read all the time.

/// Shows the events of one job, each once, however often the directory is read.
class log_view {
public:
  log_view(console& to, const logs_options& options, format how)
      : to_(to), options_(options), how_(how) {}

  /// Reads the directory as it is now. Trouble, if any.
  std::optional<trouble> look() {
    auto from = job_reader::open(options_.data);
    if (!from)
      return from.trouble();
    if (!job_) {
      auto found = from->find(options_.id);
      if (!found)
        return found.trouble();
      job_ = *found;
      resuming_ = from->resuming(*found);
    }
    auto told = from->events(*job_, [this](event&& x) { return x.id <= seen_ || show(x); });
    if (!told)
      return trouble{told.error()};
    return lost_ || (how_ != format::json && !to_.flush())
               ? std::optional<trouble>{fault::output_failed}
               : std::nullopt;
  }

  bool ended() const noexcept { return ended_; }

  /// What is told if no process runs the job.
  std::string orphan_note() const { return "no process runs this job now; " + resuming_; }

  /// The whole document, if it is to be one.
  int close() {
    if (how_ == format::json)
      to_.out_json(value{std::move(all_)});
    return to_.flush() ? number(exit_code::ok) : to_.fail(fault::output_failed);
  }

private:
  /// False once nothing can be shown any more.
  bool show(const event& x) {
    seen_ = x.id;
    ended_ = x.type == "end";
    if (!is_told(x, options_.vertex, options_.all))
      return true;
    if (how_ == format::json)
      all_.push_back(to_value(x));
    else
      lost_ = !(how_ == format::table ? to_.out(told_lines(x, options_.all))
                                      : to_.out_line(to_value(x)));
    return !lost_;
  }

  console& to_;
  const logs_options& options_;
  format how_;
  std::optional<job_id> job_;
  std::uint64_t seen_ = 0; ///< The number of the last event that was shown or passed over.
  bool ended_ = false, lost_ = false;
  std::string resuming_; ///< What continues the job.
  value::list all_;
};

/// Looks again and again until the job has ended. Returns the signal that came first, or 0.
int follow(log_view& view, const interrupts& signals, std::optional<trouble>& wrong) {
  while (!view.ended() && !wrong) {
    auto begin = clock::now();
    wrong = view.look();
    auto now = clock::now();
    auto next = now + std::max<clock::duration>(look_every, rest_per_reading * (now - begin));
    while (!view.ended() && !wrong && clock::now() < next) {
      if (auto signal = signals.caught(); signal != 0)
        return signal;
      std::this_thread::sleep_for(look_every);
    }
  }
  return 0;
}

} // namespace

int show_logs(console& to, const logs_options& options, format how) {
  log_view view{to, options, how};
  auto wrong = view.look();
  int signal = 0;
  if (!wrong && options.follow && !view.ended()) {
    interrupts signals;
    if (!has_owner(options.data))
      to.err("note: " + view.orphan_note() + " (in another terminal)\n");
    signal = follow(view, signals, wrong);
  }
  if (wrong)
    return to.fail(*wrong);
  auto closed = view.close();
  if (signal == 0 || closed != number(exit_code::ok))
    return closed;
  return number(kind_of(fault_of(signal)).exit);
}

} // namespace troupe::node
