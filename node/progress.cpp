#include "node/progress.hpp"

#include "core/state_names.hpp"

#include <algorithm>
#include <utility>

namespace troupe::node {

std::string_view text_of(const value& x, std::string_view key) {
  auto found = x.find(key);
  auto text = found ? found->string() : nullptr;
  return text ? std::string_view{*text} : std::string_view{};
}

std::int64_t number_of(const value& x, std::string_view key) {
  auto found = x.find(key);
  auto number = found ? found->integer() : nullptr;
  return number ? *number : 0;
}

problem problem_of(const value& x) {
  return {std::string{text_of(x, "code")}, std::string{text_of(x, "pointer")},
          std::string{text_of(x, "detail")}};
}

void progress::apply(const event& x) {
  if (newest_ == 0)
    begun_at_ = x.time;
  newest_ = x.id;
  newest_at_ = x.time;
  if (x.type == "vertex_start")
    start(std::string{text_of(x.data, "vertex")});
  else if (x.type == "end_vertex")
    end(std::string{text_of(x.data, "vertex")}, x.data);
  else if (x.type == "state")
    move(core::parse_job_state(text_of(x.data, "to")).value_or(job_state::pending), x.time);
  else if (x.type == "vertices_sorted")
    total_ = static_cast<std::uint32_t>(number_of(x.data, "count"));
  else if (x.type == "end")
    end_job();
}

void progress::move(job_state to, time_point at) {
  state_ = to;
  if (to == job_state::running && !std::exchange(has_begun_, true))
    begun_at_ = at;
}

/// A job that does not complete takes all with it that has not ended.
void progress::end_job() {
  ended_ = true;
  if (state_ != job_state::completed)
    cancelled_ += total_ - std::min(total_, done());
}

std::vector<std::string> progress::oldest_running(std::size_t count) const {
  std::vector<std::string> names;
  for (auto& [order, name] : by_start_) {
    if (names.size() == count)
      break;
    names.push_back(name);
  }
  return names;
}

void progress::start(const std::string& vertex) {
  auto [at, is_new] = started_.try_emplace(vertex, starts_);
  if (is_new)
    by_start_.emplace(starts_++, vertex);
}

void progress::end(const std::string& vertex, const value& data) {
  if (auto at = started_.find(vertex); at != started_.end()) {
    by_start_.erase(at->second);
    started_.erase(at);
  }
  auto state = text_of(data, "state");
  succeeded_ += state == "succeeded";
  reused_ += data.find("reused") != nullptr;
  skipped_ += state == "skipped";
  cancelled_ += state == "cancelled";
  if (state != "failed")
    return;
  ++failed_;
  auto why = data.find("error");
  if (failures_.size() < failures_shown_max)
    failures_.push_back({vertex, why ? problem_of(*why) : problem{}});
}

} // namespace troupe::node
