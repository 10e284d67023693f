#include "storage/physical_write.hpp"

#include <cassert>

namespace troupe::storage {

namespace {

constexpr std::array<std::uint8_t, batch_alignment> zeros{};

void push(std::vector<iovec>& parts, core::byte_view data) {
  if (!data.empty())
    parts.push_back({const_cast<std::uint8_t*>(data.data()), data.size()});
}

} // namespace

void physical_write::begin_segment(const segment_header& x) {
  assert(empty() && headers_.empty());
  auto block = encode(x);
  headers_.assign(block.begin(), block.end());
  entered_bytes_ = x.size;
  start_ = {x.number, 0};
  end_ = {x.number, segment_header_bytes};
}

void physical_write::add(const batch& x) {
  batch_header header;
  header.length = static_cast<std::uint32_t>(x.records.size());
  header.shard = x.shard;
  header.epoch = x.epoch;
  header.at = x.at;
  header.time = x.time;
  add(header, x.records);
}

void physical_write::add_mark() {
  batch_header header;
  header.kind = batch_kind::mark;
  add(header, {});
}

void physical_write::add(batch_header header, core::byte_view records) {
  header.previous_crc = chain_;
  header.segment = end_.segment;
  header.durable_upto = synced_;
  chain_ = encode(header, {owner_crc_, end_.segment, end_.offset}, records, headers_);
  end_.offset += padded_bytes(records.size());
  batches_.push_back({header, chain_, records});
}

status physical_write::write(file& segment) {
  std::vector<iovec> parts;
  parts.reserve(1 + 3 * batches_.size());
  core::byte_view headers{headers_};
  auto take = [&](std::size_t size) {
    auto taken = headers.first(size);
    headers = headers.subspan(size);
    return taken;
  };
  push(parts, take(entered_bytes_ ? segment_header_bytes : 0));
  for (auto& x : batches_) {
    push(parts, take(batch_header_bytes));
    push(parts, x.records);
    auto used = batch_header_bytes + x.records.size();
    push(parts, core::byte_view{zeros}.first(padded_bytes(x.records.size()) - used));
  }
  return segment.write(std::span{parts}, start_.offset);
}

void physical_write::count_in(journal_state& state) const {
  if (entered_bytes_)
    enter(state, end_.segment, static_cast<std::uint32_t>(entered_bytes_));
  for (auto& x : batches_)
    count(state, x.header, x.crc);
}

} // namespace troupe::storage
