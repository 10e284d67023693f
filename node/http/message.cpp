#include "node/http/message.hpp"

#include "node/http/problem.hpp"

#include <algorithm>

namespace troupe::http {

namespace {

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

} // namespace

bool same_word(std::string_view a, std::string_view b) noexcept {
  return std::ranges::equal(a, b, {}, lower, lower);
}

std::string lowered(std::string_view text) {
  std::string out{text};
  std::ranges::transform(out, out.begin(), lower);
  return out;
}

const std::string* headers::find(std::string_view name) const noexcept {
  auto found = std::ranges::find_if(all_, [&](auto& x) { return same_word(x.first, name); });
  return found == all_.end() ? nullptr : &found->second;
}

std::size_t headers::count(std::string_view name) const noexcept {
  auto n = std::ranges::count_if(all_, [&](auto& x) { return same_word(x.first, name); });
  return static_cast<std::size_t>(n);
}

void headers::add(std::string name, std::string value) {
  for (auto text : {&name, &value})
    std::ranges::replace_if(
        *text, [](char c) { return c == '\r' || c == '\n' || c == '\0'; }, ' ');
  all_.emplace_back(std::move(name), std::move(value));
}

responder::~responder() {
  if (to_)
    (*this)(problem_answer(refusal::unexpected, "the request was dropped without an answer"));
}

void responder::operator()(response x) {
  if (to_ && !answered_->exchange(true))
    to_->answer(std::move(x));
}

void responder::when_unwanted(std::function<void(unwanted)> told) {
  if (to_)
    to_->when_unwanted(std::move(told));
}

void responder::after(std::chrono::milliseconds time, std::function<void()> due) {
  if (to_)
    to_->after(time, std::move(due));
}

} // namespace troupe::http
