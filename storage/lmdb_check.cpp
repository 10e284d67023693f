#include "storage/lmdb_check.hpp"

#include "storage/lmdb_own_rows.hpp"
#include "storage/lmdb_transaction.hpp"
#include "storage/lmdb_walk.hpp"
#include "storage/table_row.hpp"

#include <algorithm>
#include <fcntl.h>
#include <thread>

namespace troupe::storage {

namespace {

using lmdb::page_number;
using clock = std::chrono::steady_clock;

/// What the main tree leads to.
struct contents {
  std::array<lmdb::tree, tables> of;
  std::array<bool, tables> there{};
  std::optional<own_marker> marker;
  std::optional<own_totals> totals;
};

/// The table of a tree's name, `t00` and so on.
std::optional<std::size_t> table_named(std::string_view name) {
  if (name.size() != 3 || name[0] != 't' || name[1] < '0' || name[1] > '9' || name[2] < '0'
      || name[2] > '9')
    return std::nullopt;
  auto number = static_cast<std::size_t>((name[1] - '0') * 10 + (name[2] - '0'));
  return number < tables ? std::optional{number} : std::nullopt;
}

/// Takes in one row of the main tree; false if it is wrong.
bool take(contents& into, const lmdb::node& row, core::byte_view value) {
  std::string_view name{reinterpret_cast<const char*>(row.key.data()), row.key.size()};
  if (row.flags == lmdb::node_tree && value.size() == lmdb::tree_bytes) {
    auto number = table_named(name);
    if (!number)
      return false;
    into.of[*number] = lmdb::tree_at(value);
    into.there[*number] = true;
    return into.of[*number].flags == 0;
  }
  auto content = row.flags == 0 ? unseal(own_rows, row.key, value) : std::nullopt;
  if (content && name == marker_key)
    into.marker = decode_marker(*content);
  else if (content && name == totals_key)
    into.totals = decode_totals(*content);
  return content.has_value();
}

using row_sink = std::function<void(table in, core::byte_view key, core::byte_view value)>;

/// One check of a file: in one go, or in slices that each see a later moment.
class check_run {
public:
  /// `rows`: gets each row that is sound; then it is told how many others there are.
  check_run(const file& from, const problem_sink& each, row_sink rows = {})
      : from_(from), each_(each), rows_(std::move(rows)) {}

  /// Goes on where the last slice ended, until `stop`. True when all is checked.
  result<bool> slice(const lmdb::meta& at, std::optional<clock::time_point> stop);

  const lmdb_summary& summary() const noexcept { return summary_; }
  /// Whether pages are damaged so that rows of a table are out of reach.
  bool cut_off() const noexcept { return cut_off_; }
  /// Whether all rows of a table were found.
  bool is_whole(table x) const noexcept { return whole_[static_cast<std::size_t>(x)]; }

private:
  status read_contents(lmdb::walker& walker, const lmdb::meta& at);
  result<bool> check_table(lmdb::walker& walker, std::optional<clock::time_point> stop);
  status check_free(lmdb::walker& walker, const lmdb::meta& at);
  bool check_row(const lmdb::node& row, core::byte_view value, page_number page);
  void compare_totals();
  void tell_lost();
  void tell(page_number page, core::byte_view key, std::string what);

  table current() const { return table(at_table_); }

  const file& from_;
  const problem_sink& each_;
  row_sink rows_;
  bool cut_off_ = false;
  std::array<bool, tables> whole_{};
  lmdb_summary summary_;
  contents contents_;
  bool in_table_ = false; ///< Rather than in what joins them.
  std::size_t at_table_ = 0;
  core::bytes after_;         ///< The last row of the slice before.
  bool broken_ = false;       ///< Rows of this table are missing.
  std::uint64_t changed_ = 0; ///< When the table had last changed as its walk began.
  table_totals found_;
};

void check_run::tell(page_number page, core::byte_view key, std::string what) {
  ++summary_.problems;
  lmdb_problem found{{}, {key.begin(), key.end()}, page, std::move(what)};
  if (in_table_)
    found.in = current();
  each_(found);
}

result<bool> check_run::slice(const lmdb::meta& at, std::optional<clock::time_point> stop) {
  in_table_ = false;
  bool whole = at_table_ == 0 && after_.empty();
  lmdb::walker walker{from_, at, [this](page_number page, core::byte_view key, std::string what) {
                        tell(page, key, std::move(what));
                      }};
  if (auto read = read_contents(walker, at); !read)
    return read.error();
  for (; at_table_ < tables; ++at_table_) {
    auto done = check_table(walker, stop);
    if (!done || !*done)
      return done;
  }
  in_table_ = false;
  if (whole)
    if (auto done = check_free(walker, at); !done)
      return done.error();
  return true;
}

status check_run::read_contents(lmdb::walker& walker, const lmdb::meta& at) {
  contents_ = {};
  auto visit = [&](const lmdb::node& row, core::byte_view value, page_number page) {
    if (!take(contents_, row, value))
      tell(page, row.key, "a row of the store's own is damaged");
    return true;
  };
  auto walked = walker.walk(at.main, {}, visit);
  if (!walked)
    return walked.error();
  if (!contents_.marker)
    tell(at.main.root, {}, "the marker of the owner is gone");
  if (!contents_.totals || contents_.totals->transaction != at.transaction)
    tell(at.main.root, {}, "the totals are not those of the last transaction");
  for (std::size_t i = 0; i < tables; ++i)
    if (!contents_.there[i])
      tell(at.main.root, {}, std::string{"the tree of table "} + to_string(table(i)) + " is gone");
  return {};
}

result<bool> check_run::check_table(lmdb::walker& walker, std::optional<clock::time_point> stop) {
  in_table_ = true;
  auto& tree = contents_.of[at_table_];
  auto last_change = contents_.totals ? contents_.totals->changed[at_table_] : 0;
  if (after_.empty()) {
    found_ = {};
    broken_ = false;
    changed_ = last_change;
  }
  std::uint64_t rows = 0;
  auto visit = [&](const lmdb::node& row, core::byte_view value, page_number page) {
    if (!check_row(row, value, page))
      broken_ = true;
    if (!stop || ++rows % 64 != 0 || clock::now() < *stop)
      return true;
    after_.assign(row.key.begin(), row.key.end());
    return false;
  };
  auto after = std::exchange(after_, {});
  auto walked = walker.walk(tree, after, visit);
  if (!walked)
    return walked.error();
  broken_ = broken_ || walked->broken;
  cut_off_ = cut_off_ || walked->cut_off;
  summary_.pages += walked->branch_pages + walked->leaf_pages + walked->overflow_pages;
  summary_.rows += walked->entries;
  summary_.bytes += walked->bytes;
  if (walked->stopped)
    return false;
  if (contents_.totals && changed_ == last_change && !broken_)
    compare_totals();
  if (contents_.totals && broken_ && rows_)
    tell_lost();
  whole_[at_table_] = contents_.there[at_table_] && !broken_;
  return true;
}

bool check_run::check_row(const lmdb::node& row, core::byte_view kept, page_number page) {
  auto value = (row.flags & ~lmdb::node_big) == 0 ? unseal(number_of(current()), row.key, kept)
                                                  : std::nullopt;
  if (value)
    add_row(found_, current(), row.key, *value);
  else
    tell(page, row.key, "wrong checksum");
  if (value && rows_)
    rows_(current(), row.key, *value);
  return value.has_value();
}

void check_run::tell_lost() {
  auto said = (*contents_.totals)[current()].rows;
  if (found_.rows < said)
    tell(0, {},
         std::to_string(said - found_.rows) + " of its " + std::to_string(said)
             + " rows cannot be read");
}

void check_run::compare_totals() {
  ++summary_.compared;
  auto& said = (*contents_.totals)[current()];
  if (said == found_)
    return;
  tell(0, {},
       "it has " + std::to_string(found_.rows) + " rows where its totals say "
           + std::to_string(said.rows)
           + (said.rows == found_.rows ? ", but others than these" : ""));
}

/// The pages that the next transactions may write on must not be in use.
status check_run::check_free(lmdb::walker& walker, const lmdb::meta& at) {
  auto visit = [&](const lmdb::node& row, core::byte_view value, page_number page) {
    std::uint64_t count = value.size() >= 8 ? lmdb::number_at<std::uint64_t>(value, 0) : ~0ull;
    bool sound = row.key.size() == 8 && count <= value.size() / 8 - 1;
    if (!sound) {
      tell(page, row.key, "a list of free pages is damaged");
      return true;
    }
    auto last = lmdb::no_page;
    for (std::uint64_t i = 1; i <= count; ++i) {
      auto free = lmdb::number_at<page_number>(value, i * 8);
      if (free >= last)
        tell(page, row.key, "a list of free pages is out of order");
      walker.claim(last = free, 1, row.key);
    }
    return true;
  };
  auto walked = walker.walk(at.free, {}, visit);
  return walked ? status{} : walked.error();
}

/// The page that tells what a transaction that reads sees; commits meanwhile may have written on
/// it.
result<std::optional<lmdb::meta>> meta_of(const file& from, std::uint64_t transaction) {
  auto both = lmdb::read_metas(from, true);
  if (!both)
    return both.error();
  for (auto& x : both->of)
    if (x.transaction == transaction)
      return std::optional{x};
  return std::optional<lmdb::meta>{};
}

result<file> open_file(const std::filesystem::path& name) {
  return file::open(system_files(), name, O_RDONLY);
}

} // namespace

std::string to_string(const lmdb_problem& x) {
  auto text = x.page > 0 ? "page " + std::to_string(x.page) + ", " : std::string{};
  if (!x.in)
    return x.page > 0 ? text + "what joins the tables: " + x.what : x.what;
  return text
         + (x.key.empty() ? std::string{"table "} + to_string(*x.in)
                          : row_name(number_of(*x.in), x.key))
         + ": " + x.what;
}

namespace {

/// Calls `look` at a committed moment, which stays meanwhile; at a newer one as long as it answers
/// false.
status at_moments(lmdb_env& env, const file& from,
                  const std::function<result<bool>(const lmdb::meta&)>& look) {
  for (;;) {
    lmdb_view view{env};
    if (auto begun = view.begin_unchecked(); !begun)
      return begun;
    auto at = meta_of(from, view.transaction());
    if (!at)
      return at.error();
    if (!*at)
      continue;
    if (auto done = look(**at); !done || *done)
      return done ? status{} : status{done.error()};
  }
}

} // namespace

result<lmdb_summary> check_lmdb(lmdb_env& env, const problem_sink& each, clock::duration slice) {
  auto from = open_file(env.file());
  if (!from)
    return from.error();
  check_run run{*from, each};
  auto done = at_moments(env, *from, [&](const lmdb::meta& at) {
    auto stop =
        slice > clock::duration::zero() ? std::optional{clock::now() + slice} : std::nullopt;
    return run.slice(at, stop);
  });
  return done ? result<lmdb_summary>{run.summary()} : done.error();
}

result<lmdb_summary> check_lmdb_file(const data_dir& directory, const problem_sink& each) {
  auto from = open_file(directory.path() / "snapshot" / "data.mdb");
  if (!from)
    return from.error();
  check_run run{*from, each};
  auto told = [&](const error& why) -> result<lmdb_summary> {
    if (why.code != ec::journal_corrupt)
      return why;
    auto summary = run.summary();
    ++summary.problems;
    each({{}, {}, 0, why.detail});
    return summary;
  };
  auto both = lmdb::read_metas(*from, false);
  if (!both)
    return told(both.error());
  if (auto own = lmdb::check_own_rows(*from, *both); !own)
    return told(own.error());
  auto done = run.slice(both->newest(), {});
  return done ? run.summary() : result<lmdb_summary>{done.error()};
}

namespace {

/// All sound rows of that moment, in memory.
result<std::unique_ptr<table_store>> take_rows(const file& from, const lmdb::meta& at,
                                               const problem_sink& each) {
  auto tables = memory_tables();
  auto writer = tables->write();
  if (!writer)
    return writer.error();
  status kept;
  check_run run{from, each, [&](table in, core::byte_view key, core::byte_view value) {
                  if (kept)
                    kept = (*writer)->put(in, key, value);
                }};
  if (auto done = run.slice(at, {}); !done)
    return done.error();
  if (!run.is_whole(table::meta)) // Else the journal would be read as if nothing of it was there.
    return lmdb::damaged(from.name(), "is damaged: it does not tell what of the journal it holds");
  if (kept)
    kept = (*writer)->commit();
  writer->reset();
  return kept ? result<std::unique_ptr<table_store>>{std::move(tables)} : kept.error();
}

} // namespace

result<std::unique_ptr<table_store>> salvage_lmdb(lmdb_env& env, const problem_sink& each) {
  auto from = open_file(env.file());
  if (!from)
    return from.error();
  std::unique_ptr<table_store> saved;
  auto done = at_moments(env, *from, [&](const lmdb::meta& at) -> result<bool> {
    const problem_sink nobody = [](auto&) {};
    check_run look{*from, nobody};
    if (auto looked = look.slice(at, {}); !looked || !look.cut_off())
      return looked;
    auto taken = take_rows(*from, at, each);
    if (!taken)
      return taken.error();
    saved = std::move(*taken);
    return true;
  });
  return done ? result<std::unique_ptr<table_store>>{std::move(saved)} : done.error();
}

status lmdb::check_own_rows(const file& from, const metas& of) {
  for (auto& x : of.of) {
    contents found;
    std::string trouble;
    walker walker{from, x, [&](page_number, core::byte_view, std::string what) {
                    trouble = std::move(what);
                  }};
    auto visit = [&](const node& row, core::byte_view value, page_number) {
      if (!take(found, row, value))
        trouble = "a row of the store's own is damaged";
      return true;
    };
    auto walked = walker.walk(x.main, {}, visit);
    if (!walked)
      return walked.error();
    bool fresh = x.transaction == 0 && x.main.entries == 0;
    if (trouble.empty() && !fresh && (!found.totals || found.totals->transaction != x.transaction))
      trouble = "its totals are not those of its last transactions";
    if (!trouble.empty())
      return damaged(from.name(), "is damaged: " + trouble);
  }
  return {};
}

} // namespace troupe::storage
