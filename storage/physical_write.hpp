#pragma once

#include "storage/journal.hpp"
#include "storage/journal_scan.hpp"

namespace troupe::storage {

/// Builds one write at the end of a journal. Records are not copied: the batches must stay until
/// it is written.
class physical_write {
public:
  /// Goes on at `end`, up to where everything is durable, with the CRC `chain` there.
  physical_write(std::uint32_t owner_crc, disk_position end, std::uint32_t chain)
      : owner_crc_(owner_crc), synced_(end), start_(end), end_(end), chain_(chain) {}

  /// Takes a segment into use: its header leads this write, which must be empty.
  void begin_segment(const segment_header& x);

  void add(const batch& x);
  void add_mark();

  bool empty() const noexcept { return batches_.empty(); }
  std::size_t batches() const noexcept { return batches_.size(); }
  std::uint32_t bytes() const noexcept { return end_.offset - start_.offset; }
  /// Where the next batch of this write would lie.
  disk_position end() const noexcept { return end_; }

  /// Writes all. Does not sync. Once only.
  status write(file& segment);

  /// Tells what was written, once that is durable.
  void count_in(journal_state& state) const;

private:
  struct part {
    batch_header header;
    std::uint32_t crc;
    core::byte_view records;
  };

  void add(batch_header header, core::byte_view records);

  std::uint32_t owner_crc_;
  disk_position synced_, start_, end_;
  std::uint32_t chain_;
  std::uint64_t entered_bytes_ = 0; ///< Size of the segment that begins here, 0 if none does.
  core::bytes headers_;
  std::vector<part> batches_;
};

} // namespace troupe::storage
