#pragma once

#include "troupe/observer.hpp"

#include <memory>

namespace troupe::node {

/// Tells two observers the same.
class observer_pair final : public observer {
public:
  observer_pair(std::shared_ptr<observer> first, std::shared_ptr<observer> second)
      : first_(std::move(first)), second_(std::move(second)) {}

  void job_stepped(const observed_job& job, const job_step& step) override {
    first_->job_stepped(job, step), second_->job_stepped(job, step);
  }
  void job_found(const observed_job& job, job_state state) override {
    first_->job_found(job, state), second_->job_found(job, state);
  }
  void attempts_ended(const observed_job& job, const attempt_step& step) override {
    first_->attempts_ended(job, step), second_->attempts_ended(job, step);
  }
  void job_refused(const std::string& queue, ec why) override {
    first_->job_refused(queue, why), second_->job_refused(queue, why);
  }
  void vertices_changed(const vertex_changes& by) override {
    first_->vertices_changed(by), second_->vertices_changed(by);
  }
  void vertices_waited(const observed_job& job, wait_reason why,
                       std::chrono::milliseconds time) override {
    first_->vertices_waited(job, why, time), second_->vertices_waited(job, why, time);
  }
  void batch_written(const batch_step& step) override {
    first_->batch_written(step), second_->batch_written(step);
  }
  void happened(occurrence x) override { first_->happened(x), second_->happened(x); }

private:
  std::shared_ptr<observer> first_, second_;
};

} // namespace troupe::node
