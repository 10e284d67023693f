#include "storage/blob_file_sink.hpp"

#include "storage/blob_errors.hpp"

#include <fcntl.h>

namespace troupe::storage {

namespace {

class blob_file_sink final : public blob_sink {
public:
  blob_file_sink(blob_folders& folders, std::shared_ptr<blob_pins> pins, namespace_id space,
                 std::uint64_t bytes_max, file content)
      : folders_(folders),
        pins_(std::move(pins)),
        space_(space),
        bytes_max_(bytes_max),
        file_(std::move(content)) {}

  ~blob_file_sink() override {
    if (!committed_)
      folders_.files().unlink(file_.name());
  }

  status append(core::byte_view piece) override {
    if (piece.size() > bytes_max_ - bytes_)
      return blob_too_large(bytes_ + piece.size(), bytes_max_);
    if (auto written = file_.write(piece, bytes_); !written)
      return written;
    bytes_ += piece.size();
    hash_.add(piece);
    return {};
  }

  result<blob_pin> commit() override {
    if (auto synced = file_.sync(); !synced)
      return synced.error();
    blob_pin held{pins_, {space_, hash_.end()}};
    auto path = folders_.path_of({space_, held.name()});
    if (auto made = folders_.make(path.parent_path()); !made)
      return made.error();
    if (int failed = folders_.files().touch(file_.name()); failed < 0) // Its last piece may be old.
      return os_error("touch", file_.name(), failed);
    blob_folders::change naming{folders_, path.parent_path()};
    // One that is there has the same content, or is damaged.
    if (int failed = folders_.files().rename(file_.name(), path); failed < 0)
      return os_error("rename", file_.name(), failed);
    committed_ = true;
    if (auto synced = sync_directory(folders_.files(), path.parent_path()); !synced)
      return synced.error();
    return held;
  }

private:
  blob_folders& folders_;
  std::shared_ptr<blob_pins> pins_;
  namespace_id space_;
  std::uint64_t bytes_max_, bytes_ = 0;
  file file_;
  sha256_stream hash_;
  bool committed_ = false;
};

} // namespace

result<std::unique_ptr<blob_sink>> begin_blob_file(blob_folders& folders,
                                                   std::shared_ptr<blob_pins> pins,
                                                   namespace_id space, std::uint64_t bytes_max) {
  if (auto made = folders.make(folders.passing()); !made)
    return made.error();
  auto content = file::open(folders.files(), folders.next_passing(), O_WRONLY | O_CREAT | O_TRUNC);
  if (!content)
    return content.error();
  return std::unique_ptr<blob_sink>{std::make_unique<blob_file_sink>(
      folders, std::move(pins), space, bytes_max, std::move(*content))};
}

} // namespace troupe::storage
