#include "node/import_command.hpp"

#include "actors/store.hpp"
#include "actors/store_scrub.hpp"
#include "core/names.hpp"
#include "graph_json/base64.hpp"
#include "graph_json/value_json.hpp"
#include "node/data_path.hpp"
#include "node/export_lines.hpp"
#include "node/import_job.hpp"
#include "node/store_text.hpp"
#include "node/text.hpp"
#include "storage/restore.hpp"
#include "storage/restore_records.hpp"

#include <cerrno>
#include <cstring>
#include <fstream>
#include <iostream>

namespace troupe::node {

namespace {

constexpr std::size_t graph_bytes_max = std::size_t{1} << 30;

std::string string_in(const value& line, std::string_view key) {
  auto found = line.find(key);
  return found && found->string() ? *found->string() : std::string{};
}

std::optional<std::int64_t> integer_in(const value& line, std::string_view key) {
  auto found = line.find(key);
  return found && found->integer() ? std::optional{*found->integer()} : std::nullopt;
}

bool flag_in(const value& line, std::string_view key) {
  auto found = line.find(key);
  return found && found->boolean() && *found->boolean();
}

core::byte_view bytes_of(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

trouble malformed(std::string why) { return {fault::bad_export, {}, std::move(why)}; }

/// Whether an export begins so.
std::optional<trouble> check_header(const value& line) {
  auto format = integer_in(line, "troupe_export");
  if (!format)
    return malformed("it is not the first line of an export");
  if (*format > export_format)
    return trouble{error{ec::newer_format, "the export has format " + std::to_string(*format)
                                               + ", this version knows "
                                               + std::to_string(export_format)}};
  return {};
}

/// The lines of a file that are not empty, one after the other.
struct line_reader {
  std::istream& from;
  std::string name;
  std::string line{};
  std::uint64_t number = 0, offset = 0; ///< Of the line.

  bool next() {
    for (;;) {
      offset += number == 0 ? 0 : line.size() + 1;
      if (!std::getline(from, line))
        return false;
      ++number;
      if (!line.empty())
        return true;
    }
  }

  trouble at_line(trouble x) const {
    x.why = name + ", line " + std::to_string(number) + " (byte " + std::to_string(offset)
            + "): " + (x.why.empty() ? std::string{x.kind->why} : x.why);
    return x;
  }
};

/// What is wrong with the first line, before anything is written.
std::optional<trouble> check_first(line_reader& in) {
  auto there = in.next();
  auto read = graph_json::parse_value(there ? in.line : "{}");
  auto wrong = read ? check_header(*read) : malformed(read.error().detail);
  if (!wrong)
    return {};
  if (wrong->kind->name == "bad_export")
    wrong->next = "name a file that `troupe export` has written; nothing was imported";
  return in.at_line(*wrong);
}

/// Takes the lines of one export, in order.
class importer {
public:
  importer(storage::record_writer& to, const std::filesystem::path& data, bool skip_existing)
      : to_(to),
        skip_existing_(skip_existing),
        files_(storage::system_files(), data / "blobs"),
        graphs_(storage::system_files(), files_, actors::stored_graphs()),
        around_{to.shards(), graphs_, files_} {}

  /// Nothing, or what is wrong with this line.
  std::optional<trouble> take(std::string_view line) {
    if (ended_)
      return malformed("something follows the line that ends the export");
    if (auto graph = parse_graph_line(line); begun_ && graph)
      return take_graph(*graph);
    auto read = graph_json::parse_value(line);
    if (!read)
      return malformed(read.error().detail);
    return take_value(*read);
  }

  /// All lines have come.
  std::optional<trouble> end() {
    if (!ended_)
      return malformed("the last line is missing: the export was cut off");
    return keep();
  }

  /// Makes the jobs that came whole durable.
  std::optional<trouble> keep() {
    if (refused_)
      return {};
    auto done = to_.flush();
    refused_ = !done;
    return done ? std::nullopt : std::optional{trouble{done.error()}};
  }

  const export_counts& taken() const noexcept { return taken_; }
  const export_counts& skipped() const noexcept { return skipped_; }

private:
  using answer_to_line = std::optional<trouble>;

  answer_to_line take_value(const value& line) {
    if (!begun_) {
      begun_ = true;
      return check_header(line);
    }
    if (job_ && !line.find("job"))
      return malformed("further records of job " + to_string(*job_) + " should come here");
    if (line.find("job"))
      return take_records(line);
    if (line.find("blob"))
      return take_blob(line);
    if (line.find("row"))
      return take_row(line);
    if (line.find("graph"))
      return take_graph_value(line);
    if (flag_in(line, "end"))
      return take_end(line);
    return malformed("it is none of graph, blob, job, row and end");
  }

  answer_to_line take_graph(const graph_text& x) {
    if (storage::sha256(bytes_of(x.canonical)) != x.id.sha256)
      return malformed("the graph is not the one that its id names");
    auto read = actors::stored_graphs()(x.id, bytes_of(x.canonical));
    if (!read)
      return malformed(read.error().detail);
    auto there = to_.blobs().open(x.ns, x.id.sha256);
    auto put = to_.blobs().put(x.ns, bytes_of(x.canonical), graph_bytes_max);
    if (!put)
      return trouble{put.error()};
    ++seen_.graphs;
    ++(there ? skipped_ : taken_).graphs;
    return {};
  }

  /// A line that another program has written anew.
  answer_to_line take_graph_value(const value& line) {
    auto id = parse_graph_id(string_in(line, "graph"));
    auto spec = line.find("spec");
    auto ns = integer_in(line, "ns");
    if (!id || !spec || !ns)
      return malformed("a graph needs `graph`, `ns` and `spec`");
    return take_graph({namespace_id(*ns), *id, graph_json::canonical(*spec)});
  }

  answer_to_line take_blob(const value& line) {
    auto name = string_in(line, "blob");
    auto digest = name.starts_with("sha256:") ? parse_graph_id(name.substr(7)) : std::nullopt;
    auto ns = integer_in(line, "ns"), bytes = integer_in(line, "bytes"),
         offset = integer_in(line, "offset");
    auto piece = graph_json::parse_base64(string_in(line, "base64"));
    if (!digest || !ns || !bytes || !offset || !piece)
      return malformed("a blob needs `blob`, `ns`, `bytes`, `offset` and `base64`");
    if (static_cast<std::size_t>(*offset) != blob_.size()
        || static_cast<std::size_t>(*bytes) < blob_.size() + piece->size())
      return malformed("the pieces of blob " + name + " do not follow each other");
    blob_.insert(blob_.end(), piece->begin(), piece->end());
    if (blob_.size() < static_cast<std::size_t>(*bytes))
      return {};
    auto content = std::exchange(blob_, {});
    if (storage::sha256(content) != digest->sha256)
      return malformed("blob " + name + " does not fit its name");
    auto there = to_.blobs().open(namespace_id(*ns), digest->sha256);
    auto put = to_.blobs().put(namespace_id(*ns), content);
    if (!put)
      return trouble{put.error()};
    ++seen_.blobs;
    ++(there ? skipped_ : taken_).blobs;
    return {};
  }

  answer_to_line take_records(const value& line) {
    auto id = parse_job_id(string_in(line, "job"));
    auto piece = graph_json::parse_base64(string_in(line, "records"));
    if (!id || !piece)
      return malformed("a job needs `job` and `records`");
    if (job_ && *job_ != *id)
      return malformed("further records of job " + to_string(*job_) + " should come here");
    job_ = id;
    records_.insert(records_.end(), piece->begin(), piece->end());
    if (flag_in(line, "more"))
      return {};
    job_.reset();
    return take_job(*id, std::exchange(records_, {}));
  }

  answer_to_line take_job(job_id id, const core::bytes& records) {
    ++seen_.jobs;
    auto there = to_.has(id);
    if (!there)
      return trouble{there.error()};
    if (*there && skip_existing_) {
      ++skipped_.jobs;
      return {};
    }
    if (*there)
      return trouble{fault::already_there, "job " + to_string(id) + " is there already"};
    auto job = read_job(id, records, around_);
    if (!job)
      return malformed(job.error().detail);
    auto added = to_.add(std::move(job->records));
    if (!added)
      return not_added(added.error());
    ++taken_.jobs;
    return {};
  }

  answer_to_line take_row(const value& line) {
    auto key = string_in(line, "row"), queue = string_in(line, "queue");
    if (line.find("key_base64"))
      if (auto raw = graph_json::parse_base64(string_in(line, "key_base64")))
        key.assign(raw->begin(), raw->end());
    auto ns = integer_in(line, "ns");
    auto content = graph_json::parse_base64(string_in(line, "base64"));
    if (key.empty() || !core::is_name(queue) || !ns || !content)
      return malformed("a row needs `row`, `ns`, `queue` and `base64`");
    ++seen_.rows;
    storage::keys::name_in name{{namespace_id(*ns), queue}, key};
    auto there = to_.row(name);
    if (!there)
      return trouble{there.error()};
    if (*there && (skip_existing_ || **there == *content)) {
      ++skipped_.rows;
      return {};
    }
    if (*there)
      return trouble{fault::already_there,
                     "row " + core::quoted(key) + " of queue " + queue + " is there already"};
    auto now = std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now());
    core::record r{namespace_id(*ns), {}, {}, now, core::row_written{queue, key, *content}};
    auto added = to_.add_row(std::move(r));
    if (!added)
      return not_added(added.error());
    ++taken_.rows;
    return {};
  }

  /// The directory takes no more, unless it was this one's size.
  answer_to_line not_added(const error& why) {
    refused_ = why.code != ec::too_large;
    return trouble{why};
  }

  answer_to_line take_end(const value& line) {
    auto count = [&](const char* of) {
      return static_cast<std::uint64_t>(integer_in(line, of).value_or(0));
    };
    export_counts says{count("graphs"), count("blobs"), count("jobs"), count("rows")};
    if (!(says == seen_))
      return malformed("it counts other lines than there were: some are missing");
    ended_ = true;
    return {};
  }

  storage::record_writer& to_;
  bool skip_existing_;
  storage::blob_files files_;
  storage::graph_cache graphs_;
  storage::job_surroundings around_;
  bool begun_ = false, ended_ = false;
  bool refused_ = false;      ///< The directory did not take what came.
  core::bytes blob_;          ///< What has come of it.
  std::optional<job_id> job_; ///< Whose records go on.
  core::bytes records_;
  export_counts seen_, taken_, skipped_;
};

/// The number of shards is fixed once a directory is made.
std::optional<trouble> check_shards(const import_data_options& options) {
  auto there = storage::data_dir::open(options.data, storage::open_mode::read);
  if (!options.shards || !there || there->about().shards == *options.shards)
    return {};
  auto has = std::to_string(there->about().shards);
  return trouble{fault::bad_usage,
                 options.data.string() + " has " + has + " shards, not "
                     + std::to_string(*options.shards),
                 "their number is fixed when a directory is made",
                 "leave --shards out, or import into a new directory"};
}

/// Makes the directory if it is not there, in an incarnation of its own: events of its jobs may
/// have been told elsewhere. Then brings it to this version's format.
status prepare(const import_data_options& options) {
  storage::data_dir_options how;
  how.incarnation = storage::next_incarnation(1);
  if (options.shards)
    how.shards = *options.shards;
  if (auto made = storage::data_dir::open(options.data, storage::open_mode::write, how); !made)
    return made.error();
  runtime_config config;
  config.data_dir = options.data;
  if (options.shards)
    config.shards = *options.shards;
  auto store = actors::open_store(config);
  if (!store)
    return store.error();
  store->close();
  return {};
}

std::string counts_text(const export_counts& x) {
  return counted(x.jobs, "job") + ", " + counted(x.graphs, "graph") + ", "
         + counted(x.blobs, "blob") + ", " + counted(x.rows, "row");
}

/// The first line was read.
int import_lines(console& to, line_reader& in, importer& into) {
  progress_line progress{to};
  do {
    if (auto wrong = into.take(in.line)) {
      progress.clear();
      return to.fail(in.at_line(*wrong));
    }
    progress.tell("import", in.offset, 0);
  } while (in.next());
  progress.clear();
  if (auto wrong = into.end())
    return to.fail(*wrong);
  to.out("imported " + counts_text(into.taken()) + "\n");
  if (auto& skipped = into.skipped(); !(skipped == export_counts{}))
    to.out("left as they are: " + counts_text(skipped) + "\n");
  return flushed(to, "all of it is imported; `troupe jobs list --data DIR` shows it");
}

} // namespace

int import_data(console& to, const import_data_options& options) {
  std::ifstream file;
  if (options.file != "-") {
    file.open(options.file, std::ios::binary);
    if (!file)
      return to.fail({fault::unreadable_file, "cannot read " + options.file, std::strerror(errno)});
  }
  if (auto wrong = backup_at(options.data))
    return to.fail(*wrong);
  if (auto wrong = check_shards(options))
    return to.fail(*wrong);
  line_reader lines{options.file == "-" ? std::cin : file, options.file};
  if (auto wrong = check_first(lines))
    return to.fail(*wrong);
  if (auto prepared = prepare(options); !prepared)
    return to.fail(prepared.error());
  auto writer = storage::record_writer::open(options.data);
  if (!writer)
    return to.fail(writer.error());
  importer into{*writer, options.data, options.skip_existing};
  auto done = import_lines(to, lines, into);
  if (auto lost = into.keep()) // Jobs before a wrong line are in.
    return to.fail(*lost);
  return done;
}

} // namespace troupe::node
