#pragma once

#include "core/bytes.hpp"
#include "storage/job_row.hpp"
#include "storage/sha256.hpp"
#include "troupe/value.hpp"

#include <optional>
#include <string>
#include <string_view>

/// The lines of an export, each a JSON object: a header, then graphs, pieces of blobs, jobs and
/// rows, each after what it names, then an end that counts them. Pure; any thread.
namespace troupe::node {

inline constexpr std::int64_t export_format = 1;

/// Pieces of blobs and of the records of jobs are at most about so large.
inline constexpr std::size_t export_piece_bytes = std::size_t{1} << 20;

/// What the last line counts.
struct export_counts {
  std::uint64_t graphs = 0, blobs = 0, jobs = 0, rows = 0;
  bool operator==(const export_counts&) const = default;
};

std::string header_line(const std::string& node, std::uint64_t incarnation,
                        std::chrono::sys_time<std::chrono::milliseconds> now);
/// `canonical`: the graph's text, whose digest is its id.
std::string graph_line(namespace_id ns, const graph_id& id, std::string_view canonical);
std::string blob_line(namespace_id ns, const storage::sha256_digest& name, std::uint64_t bytes,
                      std::uint64_t offset, core::byte_view piece);
/// The first line of a job. `more`: others follow it.
std::string job_line(const storage::job_row& x, core::byte_view records, bool more);
/// A further line of a job.
std::string records_line(job_id id, core::byte_view records, bool more);
std::string row_line(namespace_id ns, const std::string& queue, const std::string& key,
                     core::byte_view content);
std::string end_line(const export_counts& x);

/// The id and the text of a graph from a line as `graph_line` writes it, without reading it as
/// JSON, which nests a level deeper. Nothing if it looks otherwise.
struct graph_text {
  namespace_id ns{};
  graph_id id;
  std::string_view canonical;
};
std::optional<graph_text> parse_graph_line(std::string_view line);

} // namespace troupe::node
