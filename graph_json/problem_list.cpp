#include "graph_json/problem_list.hpp"

#include "core/json_pointer.hpp"
#include "core/names.hpp"
#include "troupe/limits.hpp"

namespace troupe::graph_json {

namespace {

std::string choice(std::string_view word, std::span<const std::string_view> allowed) {
  return "; allowed: " + core::listed(allowed) + core::did_you_mean(word, allowed);
}

} // namespace

std::string json_place::pointer() const {
  if (!up_)
    return std::string{step_};
  auto text = up_->pointer();
  core::append_step(text, step_.data() ? std::string{step_} : std::to_string(index_));
  return text;
}

void problem_list::add(const char* code, const json_place& at, std::string detail) {
  if (problems_.size() < limits::graph_problems_max)
    problems_.push_back({code, at.pointer(), std::move(detail)});
  else
    ++left_out_;
}

void problem_list::wrong_type(const json_place& at, const value& got, std::string_view wanted) {
  add("wrong_type", at, "expected " + std::string{wanted} + ", not " + to_string(got.kind()));
}

void problem_list::unknown_key(const json_place& object, std::string_view key,
                               std::span<const std::string_view> allowed) {
  add("unknown_key", object / key, "unknown key " + core::quoted(key) + choice(key, allowed));
}

void problem_list::missing_key(const json_place& object, std::string_view key) {
  add("missing_key", object, "the key " + core::quoted(key) + " is missing");
}

void problem_list::duplicate_key(const json_place& object, std::string_view key) {
  add("duplicate_key", object, "the key " + core::quoted(key) + " stands twice in one object");
}

void problem_list::unknown_word(const json_place& at, std::string_view got,
                                std::span<const std::string_view> allowed) {
  add("bad_value", at, core::quoted(got) + " is not allowed" + choice(got, allowed));
}

problems problem_list::release() {
  if (left_out_ > 0)
    problems_.push_back({"more_problems", "", std::to_string(left_out_) + " more problems"});
  return std::move(problems_);
}

} // namespace troupe::graph_json
