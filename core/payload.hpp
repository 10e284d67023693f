#pragma once

#include "core/bytes.hpp"
#include "core/wire.hpp"
#include "troupe/problem.hpp"
#include "troupe/value.hpp"

#include <array>
#include <memory>
#include <optional>

namespace troupe::core {

/// Names a blob by its content.
struct blob_ref {
  std::array<std::uint8_t, 32> sha256{};
  std::uint64_t bytes = 0; ///< Of the encoded value.

  auto operator<=>(const blob_ref&) const = default;
};

/// A value as a record holds it: in the record, or in a blob that the record names. Cheap to
/// copy; the value is shared and never changes.
class payload {
public:
  payload() = default;
  /// A value that stands in the record; null takes no memory.
  payload(value x);
  /// A value that stands in a blob. Without `loaded`, `get` is null until someone loads it.
  payload(const blob_ref& blob, std::shared_ptr<const value> loaded = {});

  const value& get() const noexcept;
  const blob_ref* blob() const noexcept { return blob_.get(); }
  /// Whether the value has to be read from its blob first.
  bool loaded() const noexcept { return !blob_ || value_; }

  bool operator==(const payload& other) const noexcept;

private:
  std::shared_ptr<const value> value_;
  std::shared_ptr<const blob_ref> blob_;
};

/// Appends the binary form of a value: a tag, then the content; integers big-endian.
void encode(const value& x, bytes& out);
/// Reads one value; nesting beyond `limits::value_depth_max` clears `in.ok`.
value decode_value(reader& in);

/// How many bytes `encode` will append.
std::size_t encoded_size(const value& x);

/// Whether a value is nested beyond `limits::value_depth_max`: it could be written, not read.
bool too_deep(const value& x) noexcept;

/// Why a value cannot be kept as JSON, if it cannot: `too_deep`, or `not_utf8` with the place.
std::optional<problem> unkeepable(const value& x);

void put(writer& out, const payload& x);
void get(reader& in, payload& x);

} // namespace troupe::core
