#pragma once

#include "core/types.hpp"

#include <algorithm>
#include <string_view>

namespace troupe::core {

/// The slot of a partition of a queue. The hash is part of every id: it never changes.
slot place(namespace_id ns, std::string_view queue, std::uint32_t partition = 0);

/// Makes ids of one shard: they only grow, and a clock that goes back or a tie never repeats one.
class id_source {
public:
  /// Takes an id that exists, from the journal.
  void saw(job_id id) noexcept { newest_ = std::max(newest_, key(id)); }

  /// From here on ids are above all that were seen, whatever their slots. Returns a bound: those
  /// seen are below it, those to come are not.
  job_id rise() noexcept;

  /// An id in `s`, above every one before.
  job_id next(slot s, shard_time now, random_bits& random);

private:
  /// Milliseconds and counter: what grows, wherever the slot lies between them.
  struct order {
    std::uint64_t ms = 0;
    std::uint32_t counter = 0;
    auto operator<=>(const order&) const = default;
  };
  static order key(job_id id) noexcept;

  order newest_;
};

} // namespace troupe::core
