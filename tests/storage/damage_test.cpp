#include "storage/file_journal.hpp"
#include "storage/lmdb_tables.hpp"
#include "storage/view.hpp"
#include "tests/storage/child_process.hpp"
#include "tests/storage/store_history.hpp"

#include <fstream>
#include <iostream>

using namespace troupe;
using namespace troupe::test;
namespace fs = std::filesystem;

namespace {

constexpr std::size_t page_bytes = 4096;
constexpr int flips_in_page = 3;
constexpr int flips_in_large = 60;

/// All that a reader can be told, by name.
using everything = std::map<std::string, core::bytes>;

/// A reader of a data directory as another process is one.
class reader {
public:
  static result<everything> read(const fs::path& path, const storage::graph_reader& graphs) {
    auto directory = storage::data_dir::open(path, storage::open_mode::read);
    if (!directory)
      return directory.error();
    storage::lmdb_options options;
    options.expect_existing = true;
    auto tables = storage::open_lmdb_tables(*directory, options);
    if (!tables)
      return tables.error();
    auto journal = storage::open_journal_reader(*directory);
    if (!journal)
      return journal.error();
    auto blobs = storage::open_blob_store(*directory);
    if (!blobs)
      return blobs.error();
    reader x{std::move(*tables), **blobs, graphs};
    for (std::uint16_t i = 0; i < directory->about().shards; ++i)
      if (auto done = x.take_shard(shard_id{i}, *journal); !done)
        return done.error();
    return std::move(x.all_);
  }

private:
  reader(std::shared_ptr<storage::table_store> tables, storage::blob_store& blobs,
         const storage::graph_reader& graphs)
      : tables_(std::move(tables)), blobs_(blobs), graphs_(graphs) {}

  status take_shard(shard_id shard, const storage::journal_reader& journal) {
    auto snapshot = tables_->read();
    if (!snapshot)
      return snapshot.error();
    auto meta = storage::snapshot_read{**snapshot, shard}.meta();
    if (!meta)
      return meta.error();
    snapshot->reset();
    storage::view view{shard, tables_, *meta};
    auto read = journal.read(shard, meta->applied + 1, [&](const storage::batch& x) -> status {
      view.add(x);
      return {};
    });
    if (!read)
      return read;
    if (auto done = take_jobs(view); !done)
      return done;
    return take_rows(view);
  }

  status take_jobs(storage::view& view) {
    storage::job_query query;
    query.limit = limits::rows_page_max;
    for (bool more = true; more;) {
      auto page = view.list(query);
      if (!page)
        return page.error();
      for (auto& row : page->rows)
        if (auto done = take_job(view, row); !done)
          return done;
      query.before = page->next;
      more = page->next.has_value();
    }
    return {};
  }

  status take_job(storage::view& view, const storage::job_row& row) {
    all_["row " + to_string(row.id)] = encode(row);
    auto& records = all_["records " + to_string(row.id)];
    auto source = [this](namespace_id, const graph_id& id) {
      auto found = graphs_(id, {});
      return found ? *found : nullptr;
    };
    storage::view::replay_state from;
    auto read = view.replay(row.id, source, from, [&](auto&, const core::record& r, auto&) {
      core::encode(r, records);
      return true;
    });
    if (!read)
      return read;
    for (auto& name : row.blobs) {
      auto blob = blobs_.get(row.ns, name);
      if (!blob)
        return blob.error();
      all_["blob " + to_string(row.id)].insert(all_["blob " + to_string(row.id)].end(),
                                               blob->begin(), blob->end());
    }
    if (row.spec.idempotency_key.empty())
      return {};
    auto request = view.find_request({{row.ns, row.spec.queue}, row.spec.idempotency_key}, {});
    if (!request)
      return request.error();
    all_["request " + row.spec.queue + " " + row.spec.idempotency_key] =
        *request ? bytes_of((*request)->id) : core::bytes{};
    return {};
  }

  status take_rows(storage::view& view) {
    auto scopes = view.row_scopes();
    if (!scopes)
      return scopes.error();
    for (auto& in : *scopes) {
      auto rows = view.rows(in, {}, {}, limits::rows_page_max);
      if (!rows)
        return rows.error();
      for (auto& row : *rows)
        all_["own row " + in.queue + " " + row.key] = row.content;
    }
    auto totals = view.totals();
    if (!totals)
      return totals.error();
    for (auto& [of, count] : *totals)
      all_["total " + std::to_string(core::index_of(view.shard())) + of.in.queue
           + to_string(of.state) + (of.own ? "own" : "")] = encode(count);
    return {};
  }

  static core::bytes bytes_of(job_id id) {
    auto text = to_string(id);
    return {text.begin(), text.end()};
  }

  std::shared_ptr<storage::table_store> tables_;
  storage::blob_store& blobs_;
  const storage::graph_reader& graphs_;
  everything all_;
};

enum verdict { right = 0, told = 10, wrong = 11 };

/// A store at rest, whole, and what it tells.
class whole_store {
public:
  whole_store(std::uint64_t seed, int steps) : history_(temporary_.path / "data", seed) {
    history_.run(steps);
    history_.apply_all();
    history_.run(steps / 4); // In the journal alone.
    history_.close();
    graphs_ = history_.graphs();
    auto read = reader::read(history_.path(), graphs_);
    INFO((read ? std::string{} : read.error().detail));
    REQUIRE(read);
    expected_ = *read;
    REQUIRE(expected_.size() > 20);
    for (auto& x : fs::recursive_directory_iterator{history_.path()})
      if (auto name = x.path().filename(); x.is_regular_file() && x.file_size() > 0
                                           && name != "lock.mdb" && name != "LOCK" && name != "PIN")
        files_.push_back(x.path());
    std::ranges::sort(files_);
  }

  const std::vector<fs::path>& files() const { return files_; }

  /// Changes a file with `change`, then asks the verifier and a reader; the file comes back.
  template <class Change>
  void damage(const fs::path& file, Change change) {
    auto before = **storage::read_file(storage::system_files(), file);
    auto after = before;
    change(after);
    write(file, after);
    auto verified = verify();
    auto answer = read();
    INFO(file << ": a reader " << (answer == right ? "is right" : "was told"));
    CHECK((answer == right || answer == told)); // Never silent wrong data.
    if (answer != right)
      CHECK_FALSE(verified); // Whatever changes what a read returns, the verifier finds.
    found += !verified;
    met += answer != right;
    write(file, before);
  }

  /// Whether the verifier is content.
  bool verify() const {
    storage::verify_options options;
    options.graphs = graphs_;
    auto report = storage::verify(history_.path(), options);
    return report && report->clean();
  }

  int found = 0, met = 0; ///< By the verifier, by the reader.

private:
  static void write(const fs::path& file, const core::bytes& content) {
    auto passing = file.string() + ".tmp";
    REQUIRE(storage::replace_file(storage::system_files(), file, passing, content));
  }

  /// What a process of its own is told, which may end for it.
  int read() {
    child_process other{[&](int) -> int {
      auto read = reader::read(history_.path(), graphs_);
      if (!read)
        return told;
      return *read == expected_ ? right : wrong;
    }};
    auto code = other.wait();
    auto said = code == right || code == wrong ? std::string{} : other.errors();
    return said.find("run `troupe verify`") != said.npos ? static_cast<int>(told) : code;
  }

  temporary_directory temporary_;
  store_history history_;
  storage::graph_reader graphs_;
  everything expected_;
  std::vector<fs::path> files_;
};

void flip(core::bytes& content, std::size_t at, std::mt19937_64& random) {
  content[at] ^= static_cast<std::uint8_t>(1u << random() % 8);
}

} // namespace

TEST_CASE("a flip in any page of a small store is found if a reader could meet it",
          "[storage][damage]") {
  std::uint64_t seed = GENERATE(take(1, random(1, 1 << 30)));
  CAPTURE(seed);
  std::mt19937_64 random{seed};
  whole_store store{seed, 60};
  int flips = 0;
  for (auto& file : store.files())
    for (std::size_t page = 0; page < fs::file_size(file); page += page_bytes) {
      auto size = std::min<std::size_t>(page_bytes, fs::file_size(file) - page);
      for (int i = 0; i < flips_in_page; ++i, ++flips) {
        auto at = page + random() % size;
        CAPTURE(at);
        store.damage(file, [&](core::bytes& content) { flip(content, at, random); });
      }
    }
  std::cout << flips << " flips in " << store.files().size() << " files: the verifier found "
            << store.found << ", a reader met " << store.met << std::endl;
  CHECK(store.found > flips / 10);
  CHECK(store.verify());
}

TEST_CASE("flips anywhere in a larger store are found if a reader could meet them",
          "[storage][damage]") {
  std::uint64_t seed = GENERATE(take(1, random(1, 1 << 30)));
  CAPTURE(seed);
  std::mt19937_64 random{seed};
  whole_store store{seed, 1500};
  for (int i = 0; i < flips_in_large; ++i) {
    auto& file = store.files()[random() % store.files().size()];
    auto at = random() % fs::file_size(file);
    CAPTURE(at);
    store.damage(file, [&](core::bytes& content) { flip(content, at, random); });
  }
  CHECK(store.found > 0);
  CHECK(store.verify());
}

TEST_CASE("a file of a store that was cut off anywhere is found if a reader could meet it",
          "[storage][damage]") {
  std::uint64_t seed = GENERATE(take(1, random(1, 1 << 30)));
  CAPTURE(seed);
  std::mt19937_64 random{seed};
  whole_store store{seed, 60};
  for (auto& file : store.files()) {
    auto size = static_cast<std::size_t>(fs::file_size(file));
    for (auto at : {std::size_t{0}, size / page_bytes / 2 * page_bytes, size - 1,
                    static_cast<std::size_t>(random() % size)}) {
      CAPTURE(at);
      store.damage(file, [&](core::bytes& content) { content.resize(at); });
    }
  }
  CHECK(store.found > 0);
  CHECK(store.verify());
}
