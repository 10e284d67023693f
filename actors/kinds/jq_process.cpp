#include "actors/kinds/jq_process.hpp"

#include "graph_json/value_json.hpp"
#include "troupe/limits.hpp"

#include <array>
#include <cassert>
#include <cerrno>
#include <csignal>
#include <cstring>

namespace troupe::actors {

namespace {

using jq_frames::outcome;

attempt_report failed(std::string code, std::string detail) {
  return {attempt_end::failed, {}, {std::move(code), "", std::move(detail)}};
}

attempt_report report_of(outcome how, std::string_view text) {
  switch (how) {
  case outcome::output: {
    auto x = graph_json::parse_value(text);
    return x ? attempt_report{attempt_end::succeeded, std::move(*x), {}}
             : failed("bad_output", "the output cannot be kept: " + x.error().detail);
  }
  case outcome::compile_error: return failed("jq_compile", std::string{text});
  case outcome::error: return failed("jq_error", std::string{text});
  case outcome::many_outputs:
    return failed("jq_outputs", "the program has several outputs, a vertex has one: "
                                "wrap them in [...]");
  }
  return failed("jq_crashed", "the helper's answer makes no sense");
}

attempt_report out_of_time(const jq_task& x) {
  auto limit = std::to_string(x.limit.count()) + " ms";
  if (x.limit_is_own)
    return {attempt_end::timed_out, {}, {"timed_out", "", "killed at its limit, " + limit}};
  return failed("jq_limit", "the program ran for more than " + limit
                                + "; make it do less, or set `timeouts.hard`");
}

} // namespace

void jq_process::give(jq_task x) {
  assert(idle());
  jq_frames::request_header header{static_cast<std::uint32_t>(x.program.size()),
                                   static_cast<std::uint32_t>(x.input.size())};
  to_send_.assign(reinterpret_cast<const char*>(&header), sizeof header);
  to_send_ += x.program;
  to_send_ += x.input;
  sent_ = 0;
  std::string{}.swap(x.input);
  deadline_ = clock::now() + x.limit;
  task_ = std::move(x);
  feed();
}

void jq_process::kill(attempt_report why) {
  if (!dying_)
    verdict_ = std::move(why);
  dying_ = true;
  deadline_.reset();
  signal_group(process_, SIGKILL);
}

void jq_process::add_to(std::vector<pollfd>& waits) const {
  waits.push_back({process_.handle.get(), POLLIN, 0});
  if (process_.out)
    waits.push_back({process_.out.get(), POLLIN, 0});
  if (sent_ < to_send_.size())
    waits.push_back({process_.in.get(), POLLOUT, 0});
}

bool jq_process::advance(clock::time_point now) {
  auto gone = has_ended(process_); // Asked first: what it wrote before is there.
  feed();
  read();
  if (gone) {
    auto end = reap(process_);
    if (task_)
      finish(verdict_ ? std::move(*verdict_) : death(end));
    return false;
  }
  if (task_ && deadline_ && now >= *deadline_)
    kill(out_of_time(*task_));
  return true;
}

void jq_process::feed() {
  while (sent_ < to_send_.size()) {
    auto n = ::write(process_.in.get(), to_send_.data() + sent_, to_send_.size() - sent_);
    if (n > 0)
      sent_ += static_cast<std::size_t>(n);
    else if (errno == EAGAIN)
      return;
    else if (errno != EINTR)
      break; // It is gone.
  }
  std::string{}.swap(to_send_);
  sent_ = 0;
}

void jq_process::read() {
  std::array<char, 65536> buffer;
  while (process_.out
         && received_.size() <= sizeof(jq_frames::answer_header) + limits::value_bytes_max) {
    auto n = ::read(process_.out.get(), buffer.data(), buffer.size());
    if (n > 0)
      received_.append(buffer.data(), static_cast<std::size_t>(n));
    else if (n == 0 || (errno != EAGAIN && errno != EINTR))
      process_.out.reset();
    else if (errno == EAGAIN)
      break;
  }
  take_answer();
}

void jq_process::take_answer() {
  jq_frames::answer_header header;
  if (!task_ || dying_ || received_.size() < sizeof header)
    return;
  std::memcpy(&header, received_.data(), sizeof header);
  if (header.bytes > limits::value_bytes_max)
    return kill(failed("output_too_large", "the output has " + std::to_string(header.bytes)
                                               + " bytes of JSON, allowed are "
                                               + std::to_string(limits::value_bytes_max)));
  if (received_.size() - sizeof header < header.bytes)
    return;
  auto text = std::exchange(received_, {});
  finish(report_of(header.how, std::string_view{text}.substr(sizeof header, header.bytes)));
}

void jq_process::finish(attempt_report x) {
  auto done = std::move(task_->done);
  task_.reset();
  deadline_.reset();
  done(std::move(x));
}

attempt_report jq_process::death(const exit_info& end) const {
  if (!end.signal && end.code == jq_frames::memory_exit_code)
    return failed("jq_limit", "the program needs more memory than a helper may have");
  auto hint = end.code == 127 ? " (is libjq installed?)" : "";
  return failed("jq_crashed", "the helper ended with " + to_string(end) + hint);
}

} // namespace troupe::actors
