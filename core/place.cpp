#include "core/place.hpp"

#include "core/crc32c.hpp"
#include "core/wire.hpp"

namespace troupe::core {

namespace {

// `rand_b` of a UUIDv7 (RFC 9562, section 6.2, method 1): variant, counter, random bits.
constexpr int counter_bits = 22, random_width = 40;
constexpr std::uint64_t variant = 1ull << 63, version = 0x7000;
constexpr std::uint32_t counter_max = (1u << counter_bits) - 1;

} // namespace

slot place(namespace_id ns, std::string_view queue, std::uint32_t partition) {
  bytes key;
  writer{key}(ns, std::string{queue}, partition);
  return slot(crc32c(key) % slots);
}

id_source::order id_source::key(job_id id) noexcept {
  return {id.high >> 16, static_cast<std::uint32_t>(id.low >> random_width) & counter_max};
}

job_id id_source::rise() noexcept {
  newest_.counter = counter_max;
  return {(newest_.ms + 1) << 16, 0};
}

job_id id_source::next(slot s, shard_time now, random_bits& random) {
  auto ms = static_cast<std::uint64_t>(std::max<std::int64_t>(now.time_since_epoch().count(), 0));
  if (ms > newest_.ms)
    newest_ = {ms, 0};
  else if (newest_.counter < counter_max)
    ++newest_.counter;
  else
    newest_ = {newest_.ms + 1, 0}; // Borrowed from the future.
  auto chance = random() & ((1ull << random_width) - 1);
  return {newest_.ms << 16 | version | static_cast<std::uint64_t>(s),
          variant | static_cast<std::uint64_t>(newest_.counter) << random_width | chance};
}

} // namespace troupe::core
