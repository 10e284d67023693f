#include "storage/blob_pins.hpp"

#include <cassert>
#include <utility>

namespace troupe::storage {

void blob_pins::add(const blob_key& key) {
  std::scoped_lock lock{mutex_};
  ++held_[key];
}

void blob_pins::remove(const blob_key& key) {
  std::scoped_lock lock{mutex_};
  auto found = held_.find(key);
  assert(found != held_.end());
  if (--found->second == 0)
    held_.erase(found);
  if (sweeping_)
    released_.insert(key);
}

void blob_pins::unless_held(const blob_key& key, const std::function<void()>& remove) {
  std::scoped_lock lock{mutex_};
  if (!held_.contains(key) && !released_.contains(key))
    remove();
}

blob_pins::sweep::sweep(blob_pins& of) : of_(of) {
  std::scoped_lock lock{of_.mutex_};
  assert(!of_.sweeping_);
  of_.sweeping_ = true;
}

blob_pins::sweep::~sweep() {
  std::scoped_lock lock{of_.mutex_};
  of_.sweeping_ = false;
  of_.released_.clear();
}

blob_pin::blob_pin(std::shared_ptr<blob_pins> pins, const blob_key& key)
    : pins_(std::move(pins)), key_(key) {
  pins_->add(key_);
}

blob_pin& blob_pin::operator=(blob_pin&& other) noexcept {
  std::swap(pins_, other.pins_);
  std::swap(key_, other.key_);
  return *this;
}

blob_pin::~blob_pin() {
  if (pins_)
    pins_->remove(key_);
}

} // namespace troupe::storage
