#pragma once

#include <cstdint>
#include <cstring>
#include <fstream>
#include <stdexcept>
#include <string>
#include <vector>

namespace troupe::tests {

/// What a program did to the files below a directory: one entry of the log that
/// `TROUPE_SHIM_LOG` of `fault_shim.cpp` names. Files and directories are told apart by inode.
struct fault_record {
  enum class kind : std::uint8_t {
    make,           ///< The new file `name`.
    make_directory, ///< The new directory `name`.
    write,          ///< `size` bytes at `offset`: `data`, or zeros if that is empty.
    resize,         ///< To `size` bytes.
    map,            ///< Into memory, to write there: nobody sees what is written, or when.
    rename,         ///< `name` to `to`.
    link,           ///< `to` is `name`, too.
    unlink,         ///< The file or directory `name` goes.
    sync,           ///< One of `name` has returned: what is logged before `covers` is durable;
                    ///< that of all files if `inode` is 0.
    told,           ///< `data` on its way to standard output.
    exchange,       ///< `name` and `to`, of one directory, change places.
  };
  kind what{};
  bool durable = false; ///< Of a write: as soon as it returns (`O_DSYNC`).
  std::uint64_t inode = 0, offset = 0, size = 0;
  std::uint64_t covers = 0; ///< A place in the log.
  std::string name, to, data;
  std::uint64_t at = 0; ///< Its own place in the log; only read.
};

namespace fault_log_detail {

/// Bytes of the numbers, then those of the texts.
struct head {
  std::uint64_t inode, offset, size, covers, name_bytes, to_bytes, data_bytes;
  std::uint8_t what, durable, unused[6];
};

} // namespace fault_log_detail

/// As it stands in the log.
inline std::string encode(const fault_record& x) {
  fault_log_detail::head head{
      x.inode,       x.offset,    x.size,        x.covers,
      x.name.size(), x.to.size(), x.data.size(), static_cast<std::uint8_t>(x.what),
      x.durable,     {}};
  std::string raw(sizeof head, '\0');
  std::memcpy(raw.data(), &head, sizeof head);
  return raw + x.name + x.to + x.data;
}

/// All entries of a log; a last one that is cut short, as by a kill, does not count.
inline std::vector<fault_record> read_fault_log(const std::string& file) {
  std::ifstream in{file, std::ios::binary};
  std::vector<fault_record> all;
  for (std::uint64_t at = 0;;) {
    fault_log_detail::head head{};
    if (!in.read(reinterpret_cast<char*>(&head), sizeof head))
      return all;
    fault_record x{fault_record::kind{head.what},
                   head.durable != 0,
                   head.inode,
                   head.offset,
                   head.size,
                   head.covers,
                   {},
                   {},
                   {},
                   at};
    for (auto [text, bytes] : {std::pair{&x.name, head.name_bytes},
                               {&x.to, head.to_bytes},
                               {&x.data, head.data_bytes}}) {
      text->resize(bytes);
      in.read(text->data(), static_cast<std::streamsize>(bytes));
    }
    if (!in)
      return all;
    at += sizeof head + head.name_bytes + head.to_bytes + head.data_bytes;
    all.push_back(std::move(x));
  }
}

} // namespace troupe::tests
