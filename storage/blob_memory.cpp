#include "storage/blob_errors.hpp"

#include <algorithm>
#include <set>

namespace troupe::storage {

namespace {

struct stored {
  std::shared_ptr<const core::bytes> content;
  blob_time put{};
};

blob_time now_of_system() {
  return std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now());
}

class memory_source final : public blob_source {
public:
  memory_source(std::shared_ptr<const core::bytes> content, const sha256_digest& name)
      : blob_source("a blob in memory", name), content_(std::move(content)) {}

  std::uint64_t bytes() const override { return content_->size(); }
  result<std::size_t> read(std::span<std::uint8_t> into, std::uint64_t offset) override {
    auto from = std::min<std::uint64_t>(offset, content_->size());
    auto count = std::min<std::size_t>(into.size(), content_->size() - from);
    std::copy_n(content_->begin() + static_cast<std::ptrdiff_t>(from), count, into.begin());
    return count;
  }

private:
  std::shared_ptr<const core::bytes> content_;
};

class memory_sink final : public blob_sink {
public:
  memory_sink(blob_store& store, namespace_id space, std::uint64_t bytes_max)
      : store_(store), space_(space), bytes_max_(bytes_max) {}

  status append(core::byte_view piece) override {
    if (piece.size() > bytes_max_ - content_.size())
      return blob_too_large(content_.size() + piece.size(), bytes_max_);
    content_.insert(content_.end(), piece.begin(), piece.end());
    return {};
  }
  result<blob_pin> commit() override { return store_.keep(space_, content_, bytes_max_); }

private:
  blob_store& store_;
  namespace_id space_;
  std::uint64_t bytes_max_;
  core::bytes content_;
};

class memory_blobs final : public blob_store {
public:
  result<blob_pin> keep(namespace_id space, core::byte_view data, std::size_t bytes_max) override {
    if (data.size() > bytes_max)
      return blob_too_large(data.size(), bytes_max);
    blob_pin held{pins_, {space, sha256(data)}};
    std::scoped_lock lock{mutex_};
    auto& blob = blobs_[{space, held.name()}];
    if (!blob.content)
      blob.content = std::make_shared<core::bytes>(data.begin(), data.end());
    blob.put = now_of_system();
    return held;
  }

  result<blob_pin> pin(namespace_id space, const sha256_digest& name) override {
    blob_pin held{pins_, {space, name}};
    std::scoped_lock lock{mutex_};
    auto found = blobs_.find({space, name});
    if (found == blobs_.end())
      return blob_is_missing({space, name});
    found->second.put = now_of_system();
    return held;
  }

  result<std::unique_ptr<blob_sink>> begin(namespace_id space, std::uint64_t bytes_max) override {
    return std::unique_ptr<blob_sink>{std::make_unique<memory_sink>(*this, space, bytes_max)};
  }

  result<core::bytes> get(namespace_id space, const sha256_digest& name) override {
    auto content = find({space, name});
    if (!content)
      return blob_is_missing({space, name});
    return *content;
  }

  result<std::unique_ptr<blob_source>> open(namespace_id space,
                                            const sha256_digest& name) override {
    auto content = find({space, name});
    if (!content)
      return blob_is_missing({space, name});
    return std::unique_ptr<blob_source>{std::make_unique<memory_source>(content, name)};
  }

  result<std::vector<namespace_id>> namespaces() override {
    std::scoped_lock lock{mutex_};
    std::set<namespace_id> spaces;
    for (auto& [key, blob] : blobs_)
      spaces.insert(key.space);
    return std::vector(spaces.begin(), spaces.end());
  }

  result<std::vector<blob_about>> list(namespace_id space) override {
    std::scoped_lock lock{mutex_};
    std::vector<blob_about> all;
    for (auto& [key, blob] : blobs_)
      if (key.space == space)
        all.push_back({key.name, blob.content->size(), blob.put});
    return all;
  }

  result<swept> sweep(const marker& mark, blob_time now, const sweep_ages& ages) override {
    std::scoped_lock one{sweeping_};
    blob_pins::sweep marking{*pins_};
    std::set<blob_key> old;
    {
      std::scoped_lock lock{mutex_};
      for (auto& [key, blob] : blobs_)
        if (is_old(blob, now, ages))
          old.insert(key);
    }
    auto marked = mark([&](namespace_id space, const sha256_digest& name) {
      old.erase({space, name});
    });
    if (!marked)
      return marked.error();
    swept done;
    for (auto& key : old)
      pins_->unless_held(key, [&] { remove_if_old(key, now, ages, done); });
    return done;
  }

private:
  std::shared_ptr<const core::bytes> find(const blob_key& key) {
    std::scoped_lock lock{mutex_};
    auto found = blobs_.find(key);
    return found == blobs_.end() ? nullptr : found->second.content;
  }

  static bool is_old(const stored& x, blob_time now, const sweep_ages& ages) {
    return x.put <= now - (is_graph(*x.content) ? ages.graph : ages.value);
  }

  void remove_if_old(const blob_key& key, blob_time now, const sweep_ages& ages, swept& done) {
    std::scoped_lock lock{mutex_};
    auto found = blobs_.find(key);
    if (found == blobs_.end() || !is_old(found->second, now, ages))
      return;
    ++done.blobs;
    done.bytes += found->second.content->size();
    blobs_.erase(found);
  }

  std::shared_ptr<blob_pins> pins_ = std::make_shared<blob_pins>();
  std::mutex sweeping_, mutex_;
  std::map<blob_key, stored> blobs_;
};

} // namespace

std::unique_ptr<blob_store> memory_blob_store() { return std::make_unique<memory_blobs>(); }

} // namespace troupe::storage
