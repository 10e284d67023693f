#pragma once

#include "storage/blob_store.hpp"

#include <atomic>
#include <latch>

namespace troupe::tests {

/// A store whose disk takes nothing until it is let, or fails then. Everything else goes on as in
/// memory.
class held_blobs final : public storage::blob_store {
public:
  std::latch let{1};
  std::atomic<bool> broken = false;

  result<storage::blob_pin> keep(namespace_id ns, core::byte_view data, std::size_t most) override {
    let.wait();
    if (broken)
      return error{ec::io_failed, "the disk of the test is broken"};
    return below_->keep(ns, data, most);
  }
  result<storage::blob_pin> pin(namespace_id ns, const storage::sha256_digest& name) override {
    return below_->pin(ns, name);
  }
  result<std::unique_ptr<storage::blob_sink>> begin(namespace_id ns, std::uint64_t most) override {
    return below_->begin(ns, most);
  }
  result<core::bytes> get(namespace_id ns, const storage::sha256_digest& name) override {
    return below_->get(ns, name);
  }
  result<std::unique_ptr<storage::blob_source>> open(namespace_id ns,
                                                     const storage::sha256_digest& name) override {
    return below_->open(ns, name);
  }
  result<std::vector<namespace_id>> namespaces() override { return below_->namespaces(); }
  result<std::vector<storage::blob_about>> list(namespace_id ns) override {
    return below_->list(ns);
  }
  result<storage::swept> sweep(const marker& mark, storage::blob_time now,
                               const storage::sweep_ages& ages) override {
    return below_->sweep(mark, now, ages);
  }

private:
  std::unique_ptr<storage::blob_store> below_ = storage::memory_blob_store();
};

} // namespace troupe::tests
