#include "core/payload.hpp"

#include "core/json_pointer.hpp"
#include "core/utf8.hpp"
#include "troupe/limits.hpp"

#include <algorithm>
#include <bit>

namespace troupe::core {

namespace {

// The first byte of a payload: a value's own tag, or this.
constexpr std::uint8_t blob_tag = 0xb1;

const value null_value;

void encode_double(writer& out, double x) { out(std::bit_cast<std::uint64_t>(x)); }

value decode_value(reader& in, std::size_t depth);

value decode_list(reader& in, std::size_t depth) {
  value::list items;
  for (auto left = in.get_varint(); left > 0 && in.ok; --left)
    items.push_back(decode_value(in, depth + 1));
  return items;
}

value decode_object(reader& in, std::size_t depth) {
  value::object members;
  for (auto left = in.get_varint(); left > 0 && in.ok; --left) {
    std::string key;
    in(key);
    auto item = decode_value(in, depth + 1);
    in.ok = in.ok && (members.empty() || members.rbegin()->first < key);
    members.emplace_hint(members.end(), std::move(key), std::move(item));
  }
  return members;
}

value decode_tagged(reader& in, std::uint8_t tag, std::size_t depth) {
  using enum value::type;
  bool boolean_value = false;
  std::int64_t integer_value = 0;
  std::uint64_t bits = 0;
  std::string text;
  switch (value::type(tag)) {
  case null: return {};
  case boolean: return in(boolean_value), boolean_value;
  case integer: return in(integer_value), integer_value;
  case number: return in(bits), std::bit_cast<double>(bits);
  case string: return in(text), std::move(text);
  case list: return decode_list(in, depth);
  case object: return decode_object(in, depth);
  }
  in.ok = false;
  return {};
}

value decode_value(reader& in, std::size_t depth) {
  std::uint8_t tag = 0;
  in(tag);
  if (in.ok && depth > limits::value_depth_max)
    in.ok = false;
  return in.ok ? decode_tagged(in, tag, depth) : value{};
}

bool deeper_than(const value& x, std::size_t levels) noexcept {
  auto inside = [levels](const value& item) {
    return levels == 0 || deeper_than(item, levels - 1);
  };
  if (auto items = x.items())
    return std::ranges::any_of(*items, inside);
  auto members = x.members();
  return members && std::ranges::any_of(*members, inside, &value::object::value_type::second);
}

bool is_bad(const std::string& text) { return find_bad_utf8(text) != text.npos; }

/// The JSON Pointer to the first text in `x` that is not UTF-8, if there is any.
std::optional<std::string> bad_text(const value& x) {
  if (auto text = x.string(); text && is_bad(*text))
    return "";
  if (auto items = x.items())
    for (std::size_t i = 0; i < items->size(); ++i)
      if (auto below = bad_text((*items)[i]))
        return at("", i) + *below;
  if (auto members = x.members())
    for (auto& [key, item] : *members) {
      if (is_bad(key))
        return "";
      if (auto below = bad_text(item))
        return at("", key) + *below;
    }
  return {};
}

std::size_t varint_size(std::uint64_t x) {
  std::size_t size = 1;
  for (; x >= 0x80; x >>= 7)
    ++size;
  return size;
}

} // namespace

payload::payload(value x) {
  if (!x.is_null())
    value_ = std::make_shared<const value>(std::move(x));
}

payload::payload(const blob_ref& blob, std::shared_ptr<const value> loaded)
    : value_(std::move(loaded)), blob_(std::make_shared<const blob_ref>(blob)) {}

const value& payload::get() const noexcept { return value_ ? *value_ : null_value; }

bool payload::operator==(const payload& other) const noexcept {
  if (blob_ || other.blob_)
    return blob_ && other.blob_ && *blob_ == *other.blob_;
  return get() == other.get();
}

void encode(const value& x, bytes& to) {
  writer out{to};
  out(static_cast<std::uint8_t>(x.kind()));
  if (auto boolean = x.boolean())
    out(*boolean);
  else if (auto integer = x.integer())
    out(*integer);
  else if (auto number = x.number())
    encode_double(out, *number);
  else if (auto text = x.string())
    out(*text);
  else if (auto items = x.items()) {
    out.put_varint(items->size());
    for (auto& item : *items)
      encode(item, to);
  } else if (auto members = x.members()) {
    out.put_varint(members->size());
    for (auto& [key, item] : *members) {
      out(key);
      encode(item, to);
    }
  }
}

std::size_t encoded_size(const value& x) {
  if (x.boolean())
    return 2;
  if (x.is_number())
    return 9;
  if (auto text = x.string())
    return 5 + text->size();
  std::size_t size = 1;
  if (auto items = x.items()) {
    size += varint_size(items->size());
    for (auto& item : *items)
      size += encoded_size(item);
  } else if (auto members = x.members()) {
    size += varint_size(members->size());
    for (auto& [key, item] : *members)
      size += 4 + key.size() + encoded_size(item);
  }
  return size;
}

value decode_value(reader& in) { return decode_value(in, 0); }

bool too_deep(const value& x) noexcept { return deeper_than(x, limits::value_depth_max); }

std::optional<problem> unkeepable(const value& x) {
  if (too_deep(x)) // First: what looks further calls itself.
    return problem{"too_deep", "",
                   "it is nested deeper than " + std::to_string(limits::value_depth_max)
                       + " lists and objects"};
  if (auto where = bad_text(x))
    return problem{"not_utf8", *where,
                   "it has text that is not UTF-8, at \"" + *where
                       + "\"; encode bytes as text, in base64 for example"};
  return {};
}

void put(writer& out, const payload& x) {
  if (auto blob = x.blob()) {
    out(blob_tag);
    out.out.insert(out.out.end(), blob->sha256.begin(), blob->sha256.end());
    out(blob->bytes);
  } else {
    encode(x.get(), out.out);
  }
}

void get(reader& in, payload& x) {
  if (in.in.empty() || in.in.front() != blob_tag) {
    x = payload{decode_value(in)};
    return;
  }
  in.take(1);
  blob_ref blob;
  if (auto taken = in.take(blob.sha256.size()); in.ok)
    std::copy(taken.begin(), taken.end(), blob.sha256.begin());
  in(blob.bytes);
  x = payload{blob};
}

} // namespace troupe::core
