#include "actors/blob_writer.hpp"

namespace troupe::actors {

blob_writer::blob_writer(std::shared_ptr<storage::blob_store> store)
    : store_(std::move(store)), thread_([this](std::stop_token stop) { run(stop); }) {}

void blob_writer::put(namespace_id ns, core::bytes data, done then) {
  bytes_ += data.size();
  {
    std::scoped_lock lock{mutex_};
    jobs_.push_back({ns, std::move(data), std::move(then)});
  }
  arrived_.notify_one();
}

void blob_writer::run(std::stop_token stop) {
  std::unique_lock lock{mutex_};
  while (arrived_.wait(lock, stop, [this] { return !jobs_.empty(); })) {
    auto next = std::move(jobs_.front());
    jobs_.pop_front();
    lock.unlock();
    auto stored = store_->put(next.ns, next.data);
    bytes_ -= next.data.size();
    if (stored)
      next.then(core::blob_ref{*stored, next.data.size()});
    else
      next.then(stored.error());
    lock.lock();
  }
}

} // namespace troupe::actors
