#include "storage/table_map.hpp"
#include "storage/table_row.hpp"
#include "troupe/limits.hpp"

#include <array>
#include <cassert>
#include <mutex>

namespace troupe::storage {

namespace {

/// All tables at one moment. Copies share their rows.
struct moment {
  std::array<table_map, tables> maps;
  std::array<table_totals, tables> totals;

  table_map& of(table x) { return maps[static_cast<std::size_t>(x)]; }
  const table_map& of(table x) const { return maps[static_cast<std::size_t>(x)]; }
  table_totals& totals_of(table x) { return totals[static_cast<std::size_t>(x)]; }
};

class memory_cursor final : public table_cursor {
public:
  memory_cursor(std::shared_ptr<moment> at, table in) : at_(std::move(at)), in_(in) {}

  result<bool> seek(core::byte_view key) override { return to(at_->of(in_).not_below(key)); }
  result<bool> seek_before(core::byte_view key) override { return to(at_->of(in_).below(key)); }
  result<bool> next() override { return row_ && to(at_->of(in_).above(row_->key)); }
  result<bool> previous() override { return row_ && to(at_->of(in_).below(row_->key)); }
  core::byte_view key() const override { return row_->key; }
  core::byte_view value() const override { return row_->value; }

private:
  bool to(table_map::row_ptr found) {
    row_ = std::move(found);
    return row_ != nullptr;
  }

  std::shared_ptr<moment> at_;
  table in_;
  table_map::row_ptr row_;
};

std::optional<core::byte_view> value_in(const table_map& map, core::byte_view key) {
  if (auto row = map.find(key))
    return core::byte_view{row->value};
  return std::nullopt;
}

class memory_reader final : public table_reader {
public:
  explicit memory_reader(std::shared_ptr<moment> at) : at_(std::move(at)) {}

  result<std::optional<core::byte_view>> get(table from, core::byte_view key) override {
    return value_in(at_->of(from), key);
  }
  std::unique_ptr<table_cursor> cursor(table in) override {
    return std::make_unique<memory_cursor>(at_, in);
  }
  table_totals totals(table of) override { return at_->totals_of(of); }

private:
  std::shared_ptr<moment> at_;
};

class memory_store final : public table_store {
public:
  result<std::unique_ptr<table_reader>> read() override {
    return std::unique_ptr<table_reader>{std::make_unique<memory_reader>(current())};
  }
  result<std::unique_ptr<table_writer>> write() override;

  std::shared_ptr<moment> current() {
    std::scoped_lock lock{mutex_};
    return current_;
  }
  void replace(std::shared_ptr<moment> by) {
    std::scoped_lock lock{mutex_};
    current_.swap(by);
  }
  std::unique_lock<std::mutex> begin() { return std::unique_lock{writing_}; }

private:
  std::mutex writing_, mutex_;
  std::shared_ptr<moment> current_ = std::make_shared<moment>();
};

class memory_writer final : public table_writer {
public:
  explicit memory_writer(memory_store& store)
      : store_(&store), lock_(store.begin()), at_(std::make_shared<moment>(*store.current())) {}

  result<std::optional<core::byte_view>> get(table from, core::byte_view key) override {
    return value_in(at_->of(from), key);
  }
  std::unique_ptr<table_cursor> cursor(table in) override {
    return std::make_unique<memory_cursor>(at_, in);
  }
  table_totals totals(table of) override { return at_->totals_of(of); }

  status put(table to, core::byte_view key, core::byte_view value) override {
    assert(lock_);
    if (auto fits = check_row(key, value); !fits)
      return fits;
    auto& map = at_->of(to);
    if (auto old = map.find(key))
      drop_row(at_->totals_of(to), to, key, old->value);
    add_row(at_->totals_of(to), to, key, value);
    map.put(std::make_shared<const table_map::row>(
        table_map::row{{key.begin(), key.end()}, {value.begin(), value.end()}}));
    return {};
  }

  result<bool> erase(table from, core::byte_view key) override {
    assert(lock_);
    auto& map = at_->of(from);
    auto old = map.find(key);
    if (!old)
      return false;
    drop_row(at_->totals_of(from), from, old->key, old->value);
    map.erase(old->key);
    return true;
  }

  status commit() override {
    assert(lock_);
    store_->replace(std::make_shared<moment>(*at_));
    lock_.unlock();
    return {};
  }

private:
  memory_store* store_;
  std::unique_lock<std::mutex> lock_;
  std::shared_ptr<moment> at_;
};

result<std::unique_ptr<table_writer>> memory_store::write() {
  return std::unique_ptr<table_writer>{std::make_unique<memory_writer>(*this)};
}

} // namespace

std::unique_ptr<table_store> memory_tables() { return std::make_unique<memory_store>(); }

} // namespace troupe::storage
