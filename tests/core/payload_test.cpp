#include "core/payload.hpp"
#include "tests/core/random_values.hpp"
#include "tests/support/catch.hpp"
#include "troupe/limits.hpp"

#include <cmath>

using namespace troupe;
using namespace troupe::core;
using tests::random_values;

namespace {

bytes encoded(const value& x) {
  bytes out;
  encode(x, out);
  return out;
}

/// What the bytes mean, if they are one value and nothing else.
std::optional<value> decoded(byte_view in) {
  reader from{in};
  auto x = decode_value(from);
  if (!from.ok || !from.in.empty())
    return {};
  return x;
}

value nested(std::size_t levels) {
  value x;
  for (std::size_t i = 0; i < levels; ++i)
    x = i % 2 ? value{value::list{std::move(x)}} : value{value::object{{"in", std::move(x)}}};
  return x;
}

} // namespace

TEST_CASE("a value is read as it was written", "[core][random]") {
  auto seed = GENERATE(take(20, random(0, 1 << 30)));
  CAPTURE(seed);
  random_values make(static_cast<std::uint64_t>(seed));
  for (int i = 0; i < 100; ++i) {
    auto x = make.any_value();
    auto data = encoded(x);
    REQUIRE(encoded_size(x) == data.size());
    auto read = decoded(data);
    REQUIRE(read);
    REQUIRE(*read == x);
    REQUIRE(encoded(*read) == data); // Tells −0.0 from 0.0.
  }
}

TEST_CASE("a value that is cut short anywhere is refused", "[core][random]") {
  auto seed = GENERATE(take(20, random(0, 1 << 30)));
  CAPTURE(seed);
  random_values make(static_cast<std::uint64_t>(seed));
  for (int i = 0; i < 20; ++i) {
    auto data = encoded(make.any_value());
    for (std::size_t length = 0; length < data.size(); ++length)
      REQUIRE_FALSE(decoded(byte_view{data}.first(length)));
  }
}

TEST_CASE("doubles keep every bit", "[core]") {
  using limits = std::numeric_limits<double>;
  for (auto x : {0.0, -0.0, 1.0, 0.1, limits::infinity(), -limits::infinity(), limits::quiet_NaN(),
                 -limits::quiet_NaN(), limits::denorm_min(), limits::min(), limits::max(),
                 std::bit_cast<double>(0x7ff4'0000'0000'1234u)}) {
    auto bits = std::bit_cast<std::uint64_t>(x);
    CAPTURE(bits);
    auto read = decoded(encoded(value{x}));
    REQUIRE(read);
    REQUIRE(read->number());
    CHECK(std::bit_cast<std::uint64_t>(*read->number()) == bits);
  }
}

TEST_CASE("the bytes of each type of value are frozen", "[core][golden]") {
  CHECK(encoded(value{}) == bytes{0});
  CHECK(encoded(value{true}) == bytes{1, 1});
  CHECK(encoded(value{-2}) == bytes{2, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xfe});
  CHECK(encoded(value{1.0}) == bytes{3, 0x3f, 0xf0, 0, 0, 0, 0, 0, 0});
  CHECK(encoded(value{"ab"}) == bytes{4, 0, 0, 0, 2, 'a', 'b'});
  CHECK(encoded(value{value::list{{}, false}}) == bytes{5, 2, 0, 1, 0});
  CHECK(encoded(value{value::object{{"b", {}}, {"a", true}}})
        == bytes{6, 2, 0, 0, 0, 1, 'a', 1, 1, 0, 0, 0, 1, 'b', 0});
}

TEST_CASE("nesting up to the limit is read, beyond it refused", "[core]") {
  CHECK(decoded(encoded(nested(limits::value_depth_max))));
  CHECK_FALSE(decoded(encoded(nested(limits::value_depth_max + 1))));
  CHECK_FALSE(too_deep(nested(limits::value_depth_max)));
  CHECK(too_deep(nested(limits::value_depth_max + 1)));
  CHECK(unkeepable(nested(limits::value_depth_max + 1))->code == "too_deep");
  CHECK_FALSE(unkeepable(nested(limits::value_depth_max)));
  auto odd = unkeepable(value::object{{"a", value::list{1, "\xc3"}}});
  REQUIRE(odd);
  CHECK(odd->code == "not_utf8");
  CHECK(odd->pointer == "/a/1");
  bytes bomb(1 << 20, 0);
  for (std::size_t i = 0; i < bomb.size(); i += 2)
    bomb[i] = 5, bomb[i + 1] = 1; // Half a million lists in each other.
  CHECK_FALSE(decoded(bomb));
}

TEST_CASE("a value has one form: any other is refused", "[core]") {
  CHECK_FALSE(decoded(bytes{6, 2, 0, 0, 0, 1, 'b', 0, 0, 0, 0, 1, 'a', 0})); // Unsorted.
  CHECK_FALSE(decoded(bytes{6, 2, 0, 0, 0, 1, 'a', 0, 0, 0, 0, 1, 'a', 0})); // Twice.
  CHECK_FALSE(decoded(bytes{5, 0x80, 0x00}));                                // A padded count.
  CHECK_FALSE(decoded(bytes{5, 0x81, 0x00, 0}));
  CHECK_FALSE(decoded(bytes{1, 2})); // Neither false nor true.
  CHECK_FALSE(decoded(bytes{7}));    // No such type.
  CHECK_FALSE(decoded(bytes{0, 0})); // Something follows.
}

TEST_CASE("a count of seven-bit bytes beyond 64 bits is refused", "[core]") {
  auto varint = [](const bytes& data) -> std::optional<std::uint64_t> {
    reader in{data};
    auto x = in.get_varint();
    return in.ok && in.in.empty() ? std::optional{x} : std::nullopt;
  };
  for (auto x : {std::uint64_t{0}, std::uint64_t{127}, std::uint64_t{128}, std::uint64_t{1} << 63,
                 ~std::uint64_t{0}}) {
    bytes out;
    writer{out}.put_varint(x);
    CHECK(varint(out) == x);
  }
  bytes most(10, 0xff);
  most.back() = 2;
  CHECK_FALSE(varint(most));
  CHECK_FALSE(varint(bytes(11, 0x80)));
}

TEST_CASE("a huge count without content takes no memory", "[core]") {
  CHECK_FALSE(decoded(bytes{5, 0xff, 0xff, 0xff, 0xff, 0x0f}));
  CHECK_FALSE(decoded(bytes{4, 0xff, 0xff, 0xff, 0xff, 'x'}));
}

TEST_CASE("a payload keeps its value or the name of its blob", "[core][random]") {
  auto seed = GENERATE(take(20, random(0, 1 << 30)));
  CAPTURE(seed);
  random_values make(static_cast<std::uint64_t>(seed));
  for (int i = 0; i < 50; ++i) {
    auto x = make.any_payload();
    bytes data;
    writer out{data};
    put(out, x);
    for (std::size_t length = 0; length <= data.size(); ++length) {
      reader in{byte_view{data}.first(length)};
      payload read;
      get(in, read);
      REQUIRE(in.ok == (length == data.size()));
      if (in.ok)
        REQUIRE(read == x);
    }
  }
}

TEST_CASE("a blob that is not loaded is no value yet", "[core]") {
  blob_ref name{{1, 2, 3}, 70'000};
  payload bare{name}, loaded{name, std::make_shared<const value>("text")};
  CHECK_FALSE(bare.loaded());
  CHECK(bare.get().is_null());
  CHECK(loaded.loaded());
  CHECK(*loaded.get().string() == "text");
  CHECK(bare == loaded); // The same content, wherever it is.
  CHECK_FALSE(payload{value{"text"}} == loaded);
  CHECK(payload{value{}} == payload{});
}
