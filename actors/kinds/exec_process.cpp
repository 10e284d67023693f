#include "actors/kinds/exec_process.hpp"

#include "actors/kinds/early_report.hpp"
#include "core/utf8.hpp"
#include "graph_json/exact_json.hpp"
#include "graph_json/value_json.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <limits>
#include <utility>

namespace troupe::actors {

namespace {

using time_point = exec_process::clock::time_point;

constexpr std::size_t chunk_bytes = 65536;
constexpr std::size_t turn_bytes = 16 * chunk_bytes; // Of one stream, before others have a turn.

std::string text_of(const value& x) { return x.string() ? *x.string() : graph_json::to_json(x); }

// Gives `take` what is there. Closes `from` at its end. False: there was more than a turn.
template <class Take>
bool read_some(unique_fd& from, Take take) {
  std::array<char, chunk_bytes> buffer;
  for (std::size_t got = 0; from && got < turn_bytes;) {
    auto n = ::read(from.get(), buffer.data(), buffer.size());
    if (n > 0) {
      take(std::string_view{buffer.data(), static_cast<std::size_t>(n)});
      got += static_cast<std::size_t>(n);
    } else if (n == 0 || (errno != EAGAIN && errno != EINTR)) {
      from.reset();
    } else if (errno == EAGAIN) {
      return true;
    }
  }
  return !from;
}

} // namespace

exec_process::exec_process(child_process process, const attempt& x, exec_config config,
                           attempt_runner::log say, const exec_options& options)
    : process_(std::move(process)),
      config_(std::move(config)),
      limits_(x.timeouts),
      time_(x.timeouts, clock::now()),
      drain_max_(options.drain_max),
      output_max_(config_.output_max.value_or(options.output_bytes_max)),
      input_(text_of(config_.input ? *config_.input : x.inputs)),
      log_(std::move(say), options.log_line_bytes_max, options.log_bytes_max) {
  feed();
}

void exec_process::add_to(std::vector<pollfd>& waits) const {
  if (!end_)
    waits.push_back({process_.handle.get(), POLLIN, 0});
  if (process_.in)
    waits.push_back({process_.in.get(), POLLOUT, 0});
  if (process_.out)
    waits.push_back({process_.out.get(), POLLIN, 0});
  if (process_.err)
    waits.push_back({process_.err.get(), POLLIN, 0});
}

std::optional<time_point> exec_process::deadline() const noexcept {
  if (end_)
    return drained_at_;
  return too_large_ ? std::nullopt : time_.deadline();
}

void exec_process::advance(time_point now) {
  feed();
  read_output();
  read_log();
  if (end_) {
    drained_ |= now >= *drained_at_;
    return;
  }
  if (!too_large_)
    obey(time_.advance(now));
}

void exec_process::cancel(core::duration grace, time_point now) {
  if (!end_)
    obey(time_.cancel(grace, now));
}

void exec_process::obey(core::attempt_clock::step x) {
  if (x == core::attempt_clock::step::end)
    return kill();
  if (x == core::attempt_clock::step::none || std::exchange(asked_, true))
    return; // Many a program takes the second signal for haste.
  signal_group(process_, SIGTERM);
  signal_group(process_, SIGCONT); // One that is stopped hears nothing else.
}

void exec_process::kill() { signal_group(process_, SIGKILL); }

void exec_process::collect(time_point now) {
  signal_group(process_, SIGKILL); // The rest of the group. The zombie still keeps the id ours.
  end_ = reap(process_);
  process_.in.reset();
  drained_at_ = now + drain_max_;
}

bool exec_process::finished() const noexcept {
  return end_ && (drained_ || (!process_.out && !process_.err));
}

// SIGPIPE is blocked in the thread: a process that does not read its input is fine.
void exec_process::feed() {
  while (process_.in && fed_ < input_.size()) {
    auto n = ::write(process_.in.get(), input_.data() + fed_, input_.size() - fed_);
    if (n > 0)
      fed_ += static_cast<std::size_t>(n);
    else if (errno == EAGAIN)
      return;
    else if (errno != EINTR)
      break;
  }
  process_.in.reset();
  std::string{}.swap(input_);
}

void exec_process::read_output() {
  auto keep = [this](std::string_view bytes) {
    if (too_large_)
      return;
    output_ += bytes;
    if (output_.size() > output_max_) {
      std::string{}.swap(output_);
      too_large_ = true;
      if (!end_)
        kill();
    }
  };
  read_some(process_.out, keep);
}

void exec_process::read_log() {
  read_some(process_.err, [this](std::string_view bytes) { log_.add(bytes); });
}

attempt_report exec_process::failed(std::string code, std::string detail) const {
  return {attempt_end::failed, {}, {std::move(code), "", std::move(detail)}};
}

std::string exec_process::last_words() const {
  return log_.last_line().empty() ? "nothing on stderr"
                                  : "the last line of stderr: " + log_.last_line();
}

attempt_report exec_process::output() const {
  auto bad = [&](const std::string& what) {
    return failed("bad_output", what + "; " + last_words());
  };
  if (config_.output == exec_output::text) {
    std::string_view text{output_};
    if (text.ends_with('\n'))
      text.remove_suffix(1);
    if (auto at = core::find_bad_utf8(text); at != text.npos)
      return bad("stdout is not UTF-8 at byte " + std::to_string(at)
                 + "; encode it, for example with base64");
    return {attempt_end::succeeded, std::string{text}, {}};
  }
  if (config_.output == exec_output::json) {
    auto x = graph_json::parse_exact(output_);
    if (!x)
      return bad("stdout is not one JSON value: " + x.error().detail);
    if (!x->rounded.empty())
      return bad("stdout, at \"" + x->rounded.front().pointer + "\": " + x->rounded.front().detail);
    return {attempt_end::succeeded, std::move(x->content), {}};
  }
  auto x = graph_json::parse_ndjson(output_);
  return x ? attempt_report{attempt_end::succeeded, std::move(*x), {}}
           : bad("stdout is not a JSON value a line: " + x.error().detail);
}

attempt_report exec_process::report() {
  log_.finish();
  if (time_.why() != core::early_end::none)
    return early_report(time_.why(), limits_, "killed");
  if (too_large_)
    return failed("output_too_large", "stdout went beyond " + std::to_string(output_max_)
                                          + " bytes; write less, or raise `output_max`");
  auto end = end_.value_or(exit_info{.lost = true});
  if (end.signal)
    return failed("signal", "ended by " + to_string(end) + "; " + last_words());
  auto& good = config_.ok_codes;
  if (end.lost || std::find(good.begin(), good.end(), end.code) == good.end())
    return failed("exit_code", to_string(end) + "; " + last_words());
  return output();
}

} // namespace troupe::actors
