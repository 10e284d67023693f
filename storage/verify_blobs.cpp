#include "storage/verify_blobs.hpp"

namespace troupe::storage {

status check_blobs(const blob_files& blobs, const std::function<void(std::uint64_t)>& progress,
                   blob_totals& sum, finding_list& to) {
  return blobs.each(
      [&](const blob_file& x) -> status {
        auto bytes = blobs.check(x.space, x.name);
        if (!bytes && bytes.code() != ec::blob_missing) // Swept meanwhile.
          to.add(finding_kind::blob_damaged, x.path.string(), bytes.error().detail);
        if (bytes)
          add_blob(sum, x.space, x.name, *bytes);
        if (progress)
          progress(sum.bytes);
        return {};
      },
      [&](const std::filesystem::path& path) {
        to.add(finding_kind::file_damaged, path.string(), "it is no blob, but lies among them");
      });
}

} // namespace troupe::storage
