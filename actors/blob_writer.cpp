#include "actors/blob_writer.hpp"

#include "storage/own_thread.hpp"

namespace troupe::actors {

blob_writer::blob_writer(std::shared_ptr<storage::blob_store> store,
                         std::shared_ptr<storage::disk_guard> guard,
                         std::chrono::milliseconds space_wait)
    : store_(std::move(store)),
      guard_(std::move(guard)),
      space_wait_(space_wait),
      thread_(storage::own_thread([this](std::stop_token stop) { run(stop); })) {}

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
    auto stored = write(next, stop);
    bytes_ -= next.data.size();
    if (stored)
      next.then(core::blob_ref{*stored, next.data.size()});
    else
      next.then(stored.error());
    lock.lock();
  }
}

result<storage::sha256_digest> blob_writer::write(const job& x, const std::stop_token& stop) {
  if (!guard_)
    return store_->put(x.ns, x.data);
  result<storage::sha256_digest> stored = ec::no_space;
  auto attempt = [&] {
    stored = store_->put(x.ns, x.data);
    return stored ? status{} : status{stored.error()};
  };
  (void)guard_->retry(attempt, space_wait_, [&] { return stop.stop_requested(); });
  return stored;
}

} // namespace troupe::actors
