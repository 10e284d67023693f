#include "core/crc32c.hpp"
#include "core/links.hpp"
#include "core/records.hpp"

#include <cstdlib>

using namespace troupe;
using namespace troupe::core;

namespace {

constexpr std::size_t head_bytes = 12, crc_offset = 8, flag_offset = 7, version_offset = 6;

/// Makes every checksum right, as far as the envelopes reach: else no input gets beyond it.
bytes repaired(byte_view batch) {
  bytes data(batch.begin(), batch.end());
  for (std::size_t at = 0; data.size() - at >= head_bytes;) {
    std::uint32_t length = 0;
    reader{byte_view{data}.subspan(at)}(length);
    if (length > data.size() - at - head_bytes)
      break;
    byte_view all{data};
    auto crc = crc32c(all.subspan(at + head_bytes, length), crc32c(all.subspan(at, crc_offset)));
    bytes right;
    writer{right}(crc);
    std::copy(right.begin(), right.end(),
              data.begin() + static_cast<std::ptrdiff_t>(at + crc_offset));
    at += head_bytes + length;
  }
  return data;
}

void require(bool fact) {
  if (!fact)
    std::abort();
}

bool of_this_version(byte_view slice, const record& x) {
  auto version = std::visit([](auto& body) { return body.type.version; }, x.body);
  return slice[version_offset] == version;
}

/// What is read of one record is written as the same bytes, or, of an older version, is read again
/// as the same record.
void check_record(byte_view slice) {
  auto read = decode(slice);
  require(bool(read));
  if (read->empty() || slice[flag_offset] != 0)
    return;
  bytes again;
  encode(read->front(), again);
  if (of_this_version(slice, read->front()))
    require(std::equal(again.begin(), again.end(), slice.begin(), slice.end()));
  else
    require(decode(again) && *decode(again) == *read);
}

void check_batch(byte_view batch) {
  auto read = decode(batch);
  auto places = places_in(batch, true);
  if (!read)
    return;
  require(bool(places));
  for (auto& at : *places)
    check_record(batch.subspan(at.begin, at.end - at.begin));
}

void check_message(byte_view body) {
  if (auto read = decode_message(body)) {
    auto again = encode_message(*read);
    require(std::equal(again.begin(), again.end(), body.begin(), body.end()));
  }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  byte_view input{data, size};
  check_batch(input);
  check_batch(repaired(input));
  check_message(input);
  return 0;
}
