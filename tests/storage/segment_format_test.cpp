#include "storage/segment_format.hpp"

#include "core/crc32c.hpp"
#include "tests/support/catch.hpp"

using namespace troupe;
using namespace troupe::storage;

namespace {

node_identity owner() {
  node_identity x;
  for (std::size_t i = 0; i < x.node.bytes.size(); ++i)
    x.node.bytes[i] = static_cast<std::uint8_t>(i);
  x.incarnation = 7;
  return x;
}

std::string hex(core::byte_view data) {
  std::string text;
  for (auto byte : data) {
    text += "0123456789abcdef"[byte >> 4];
    text += "0123456789abcdef"[byte & 15];
  }
  return text;
}

batch_header example() {
  batch_header x;
  x.previous_crc = 0x01020304;
  x.length = 5;
  x.segment = 2;
  x.shard = core::shard_id{3};
  x.epoch = core::epoch{4};
  x.at = 6;
  x.time = core::shard_time{std::chrono::milliseconds{1700000000000}};
  x.durable_upto = {1, 4096};
  return x;
}

const core::bytes records{1, 2, 3, 4, 5};

/// The example as it lies on disk.
core::bytes on_disk(const batch_place& place) {
  core::bytes raw;
  encode(example(), place, records, raw);
  raw.insert(raw.end(), records.begin(), records.end());
  raw.resize(padded_bytes(records.size()));
  return raw;
}

batch_place place() { return {crc_of(owner()), 2, 128}; }

} // namespace

TEST_CASE("a CRC32C goes on over parts", "[storage]") {
  auto whole = core::crc32c(records);
  CHECK(core::crc32c(core::byte_view{records}.subspan(2),
                     core::crc32c(core::byte_view{records}.first(2)))
        == whole);
}

TEST_CASE("the batch header of version 1 is frozen", "[storage]") {
  core::bytes raw;
  encode(example(), place(), records, raw);
  CHECK(hex(raw)
        == "545250426e623943010203040000000500000000000000020003000000001000"
           "00000000000000040000000000000006"
           "0000018bcfe568000000000000000001");
}

TEST_CASE("the segment header of version 1 is frozen", "[storage]") {
  auto raw = encode(segment_header{owner(), 2, 1 << 20, 4096, 0x01020304});
  CHECK(hex(raw)
        == "545250455345470a00000001000102030405060708090a0b0c0d0e0f00000000"
           "0000000700000000000000020000000000100000000010000102030400000000"
               + std::string(112, '0') + "00000000906a7d84");
}

TEST_CASE("a batch is read back as it was written", "[storage]") {
  auto raw = on_disk(place());
  CHECK(claimed_bytes(raw, 2) == raw.size());
  auto found = decode_batch(raw, place());
  REQUIRE(found);
  CHECK(found->header == example());
  CHECK(core::bytes(found->records.begin(), found->records.end()) == records);
}

TEST_CASE("every changed bit of a batch is found, its padding included", "[storage]") {
  auto raw = on_disk(place());
  for (std::size_t bit = 0; bit < raw.size() * 8; ++bit) {
    raw[bit / 8] ^= static_cast<std::uint8_t>(1 << bit % 8);
    CHECK_FALSE(decode_batch(raw, place()));
    raw[bit / 8] ^= static_cast<std::uint8_t>(1 << bit % 8);
  }
}

TEST_CASE("a batch is valid only at its own place and of its own node", "[storage]") {
  auto raw = on_disk(place());
  CHECK_FALSE(decode_batch(raw, {crc_of(owner()), 2, 192}));
  CHECK_FALSE(decode_batch(raw, {crc_of(owner()), 3, 128}));
  auto other = owner();
  other.incarnation = 8;
  CHECK_FALSE(decode_batch(raw, {crc_of(other), 2, 128}));
}

TEST_CASE("every changed bit of a segment header is found", "[storage]") {
  auto raw = encode(segment_header{owner(), 2, 1 << 20, 4096, 0x01020304});
  segment_header x;
  CHECK(decode(raw, x) == header_state::valid);
  CHECK(x == segment_header{owner(), 2, 1 << 20, 4096, 0x01020304});
  for (std::size_t bit = 0; bit < raw.size() * 8; ++bit) {
    raw[bit / 8] ^= static_cast<std::uint8_t>(1 << bit % 8);
    CHECK(decode(raw, x) == header_state::damaged);
    raw[bit / 8] ^= static_cast<std::uint8_t>(1 << bit % 8);
  }
  raw.fill(0);
  CHECK(decode(raw, x) == header_state::blank);
}
