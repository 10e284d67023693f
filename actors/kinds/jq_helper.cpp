// The program troupe-jq: runs jq programs that it reads from standard input, for `jq_runner`.
// libjq 1.6 aborts when memory runs out and shows the environment, so it has a process of its own:
// without an environment, without files, with a limit to its memory.

#include "actors/kinds/jq_frames.hpp"

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <ctime>
#include <string>
#include <string_view>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>
#include <unordered_map>

extern "C" {
#include <jq.h>
#include <jv.h>
}

namespace {

using namespace troupe::actors::jq_frames;

constexpr std::size_t message_bytes_max = 4096;

struct answer {
  outcome how = outcome::output;
  std::string text;
};

void out_of_memory(void*) { ::_exit(memory_exit_code); }

// Ends the process with its last reader or writer.
void read_exactly(void* to, std::size_t bytes) {
  for (auto at = static_cast<char*>(to); bytes > 0;) {
    auto n = ::read(0, at, bytes);
    if (n == 0 || (n < 0 && errno != EINTR))
      ::_exit(0);
    at += n > 0 ? n : 0;
    bytes -= n > 0 ? static_cast<std::size_t>(n) : 0;
  }
}

void write_exactly(std::string_view bytes) {
  while (!bytes.empty()) {
    auto n = ::write(1, bytes.data(), bytes.size());
    if (n < 0 && errno != EINTR)
      ::_exit(0);
    bytes.remove_prefix(n > 0 ? static_cast<std::size_t>(n) : 0);
  }
}

std::string read_text(std::size_t bytes) {
  std::string text(bytes, '\0');
  read_exactly(text.data(), bytes);
  return text;
}

// Takes `x`: a string is its text, anything else its JSON.
std::string take_text(jv x) {
  if (jv_get_kind(x) != JV_KIND_STRING)
    x = jv_dump_string(x, 0);
  std::string text{jv_string_value(x),
                   static_cast<std::size_t>(jv_string_length_bytes(jv_copy(x)))};
  jv_free(x);
  return text;
}

void remove(std::string& text, std::string_view part) {
  for (auto at = text.find(part); at != text.npos; at = text.find(part))
    text.erase(at, part.size());
}

// The compiler's messages without what only the command line's users need.
std::string tidy(std::string messages) {
  remove(messages, " (Unix shell quoting issues?)");
  remove(messages, "jq: error: ");
  if (auto at = messages.rfind("jq: ");
      at != messages.npos && messages.find(" compile error", at) != messages.npos)
    messages.resize(at);
  while (!messages.empty() && messages.back() == '\n')
    messages.pop_back();
  return messages.empty() ? "the program does not compile" : messages;
}

void add_message(void* to, jv message) {
  auto& text = *static_cast<std::string*>(to);
  auto line = take_text(jq_format_error(message));
  if (text.size() + line.size() < message_bytes_max)
    text += line + "\n";
}

void drop_message(void*, jv message) { jv_free(message); }

jv no_more_inputs(jq_state*, void*) { return jv_invalid(); }

/// The programs that were compiled, the most recently used `max` of them.
class program_cache {
public:
  explicit program_cache(std::size_t max) : max_(max) {}

  /// The compiled program, or null and `messages`.
  jq_state* get(const std::string& text, std::string& messages) {
    auto found = programs_.find(text);
    if (found == programs_.end()) {
      auto jq = compile(text, messages);
      if (!jq)
        return nullptr;
      if (programs_.size() >= max_)
        evict();
      found = programs_.emplace(text, entry{jq, 0}).first;
    }
    found->second.used = ++clock_;
    return found->second.jq;
  }

private:
  struct entry {
    jq_state* jq;
    std::uint64_t used;
  };

  static jq_state* compile(const std::string& text, std::string& messages) {
    auto jq = jq_init();
    if (!jq)
      out_of_memory(nullptr);
    jq_set_nomem_handler(jq, out_of_memory, nullptr);
    jq_set_attr(jq, jv_string("JQ_LIBRARY_PATH"), jv_array());
    jq_set_input_cb(jq, no_more_inputs, nullptr);
    jq_set_debug_cb(jq, drop_message, nullptr);
    jq_set_error_cb(jq, add_message, &messages);
    if (!jq_compile(jq, text.c_str()))
      jq_teardown(&jq);
    else
      jq_set_error_cb(jq, nullptr, nullptr);
    return jq;
  }

  void evict() {
    auto oldest = programs_.begin();
    for (auto at = programs_.begin(); at != programs_.end(); ++at)
      if (at->second.used < oldest->second.used)
        oldest = at;
    jq_teardown(&oldest->second.jq);
    programs_.erase(oldest);
  }

  std::size_t max_;
  std::uint64_t clock_ = 0;
  std::unordered_map<std::string, entry> programs_;
};

// Takes the invalid value that ended the outputs: an error, `halt_error`, or just the end.
answer take_end(jq_state* jq, jv end, std::string output) {
  auto message = jv_invalid_get_msg(end);
  if (jq_halted(jq)) {
    jv_free(message);
    auto code = jq_get_exit_code(jq);
    auto failed = jv_get_kind(code) == JV_KIND_NUMBER && jv_number_value(code) != 0;
    jv_free(code);
    message = failed ? jq_get_error_message(jq) : jv_null();
    if (failed && jv_get_kind(message) == JV_KIND_NULL)
      message = jv_string("halt_error");
  }
  if (jv_get_kind(message) == JV_KIND_NULL || !jv_is_valid(message)) {
    jv_free(message);
    return {outcome::output, std::move(output)};
  }
  return {outcome::error, take_text(message).substr(0, message_bytes_max)};
}

answer run(jq_state* jq, const std::string& input) {
  auto x = jv_parse_sized(input.data(), static_cast<int>(input.size()));
  if (!jv_is_valid(x))
    return {outcome::error, "the input cannot be read: " + take_text(jv_invalid_get_msg(x))};
  jq_start(jq, x, 0);
  std::string output = "null";
  for (int outputs = 0;; ++outputs) {
    auto next = jq_next(jq);
    if (!jv_is_valid(next))
      return take_end(jq, next, std::move(output));
    if (outputs == 1) {
      jv_free(next);
      return {outcome::many_outputs, {}};
    }
    output = take_text(jv_dump_string(next, 0));
  }
}

void serve(program_cache& programs) {
  request_header header;
  read_exactly(&header, sizeof header);
  auto program = read_text(header.program_bytes);
  auto input = read_text(header.input_bytes);
  answer x;
  std::string messages;
  if (auto jq = programs.get(program, messages))
    x = run(jq, input);
  else
    x = {outcome::compile_error, tidy(std::move(messages))};
  answer_header head{x.how, static_cast<std::uint32_t>(x.text.size())};
  write_exactly({reinterpret_cast<const char*>(&head), sizeof head});
  write_exactly(x.text);
}

void limit(int what, rlim_t to) {
  rlimit x{to, to};
  if (::setrlimit(static_cast<__rlimit_resource>(what), &x) != 0)
    ::_exit(1);
}

// From here on: no new descriptor, so no file; no core; no more memory than this.
void confine(rlim_t memory_bytes_max) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  static char* nothing[] = {nullptr};
  environ = nothing; // libjq does not expect null.
  ::tzset();
  limit(RLIMIT_CORE, 0);
  limit(RLIMIT_NOFILE, 3);
  limit(RLIMIT_AS, memory_bytes_max);
}

} // namespace

/// `troupe-jq MEMORY_BYTES_MAX PROGRAMS_MAX`; ends with its standard input.
int main(int argc, char** argv) {
  if (argc != 3) {
    static constexpr std::string_view usage =
        "troupe-jq is started by troupe, for vertices of the kind jq: "
        "troupe-jq MEMORY_BYTES_MAX PROGRAMS_MAX\n";
    return ::write(2, usage.data(), usage.size()) < 0 ? 1 : 2;
  }
  confine(std::strtoull(argv[1], nullptr, 10));
  std::set_new_handler([] { out_of_memory(nullptr); });
  jv_nomem_handler(out_of_memory, nullptr);
  program_cache programs{std::strtoull(argv[2], nullptr, 10)};
  while (true)
    serve(programs);
}
