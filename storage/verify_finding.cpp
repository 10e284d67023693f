#include "storage/verify_finding.hpp"

#include "core/time_text.hpp"
#include "core/types.hpp"
#include "core/wire.hpp"
#include "storage/snapshot_keys.hpp"
#include "troupe/limits.hpp"
#include "troupe/states.hpp"

#include <algorithm>
#include <array>

namespace troupe::storage {

namespace {

struct kind_text {
  const char *name, *advice;
};

constexpr const char* restore = "restore a backup into a new directory";
constexpr const char* rebuild = "back up what can be read (`troupe export`), then restore a backup "
                                "or import into a new directory";

/// In the order of `finding_kind`.
constexpr std::array<kind_text, std::size_t(last(finding_kind{})) + 1> kinds{{
    {"file_damaged", restore},
    {"page_damaged", restore},
    {"journal_damaged", restore},
    {"journal_differs", rebuild},
    {"row_damaged", restore},
    {"row_misplaced", rebuild},
    {"records_missing", restore},
    {"records_damaged", restore},
    {"records_misfit", "this is a defect of troupe: report it with the output of `troupe verify`"},
    {"row_differs", rebuild},
    {"records_ownerless", rebuild},
    {"index_missing", rebuild},
    {"index_extra", rebuild},
    {"count_wrong", rebuild},
    {"request_wrong", rebuild},
    {"link_wrong", rebuild},
    {"graph_missing", "restore the file from a backup: `blobs/` is the same there"},
    {"graph_damaged", "restore the file from a backup: `blobs/` is the same there"},
    {"blob_missing", "restore the file from a backup: `blobs/` is the same there"},
    {"blob_damaged", "restore the file from a backup: `blobs/` is the same there"},
    {"backup_differs", "make another backup, and keep this one only if there is no better one"},
    {"snapshot_absent", "start the node: it makes the snapshot anew from the journal"},
}};

/// Reads a key part by part; `ok` goes when it is none of this table.
class key_reader {
public:
  explicit key_reader(core::byte_view key) : in_{key} {
    core::shard_id shard{};
    in_(shard);
    text_ = "shard " + std::to_string(core::index_of(shard));
  }

  template <class T>
  T number() {
    T x{};
    in_(x);
    return x;
  }
  void say(const char* what, const std::string& x) { text_ += std::string{", "} + what + " " + x; }
  void space() {
    auto ns = static_cast<std::uint32_t>(number<namespace_id>());
    if (ns != 0)
      say("namespace", std::to_string(ns));
  }
  std::string name() {
    std::string x;
    while (in_.ok && !in_.in.empty() && in_.in.front() != 0)
      x.push_back(static_cast<char>(in_.take(1).front()));
    in_.take(1);
    return x;
  }
  std::string rest() {
    auto left = in_.take(in_.in.size());
    return {left.begin(), left.end()};
  }
  void job() { say("job", to_string(number<job_id>())); }
  void state() { say("state", to_string(number<job_state>())); }
  void time() { say("at", core::to_text(number<core::shard_time>())); }

  bool ok() const noexcept { return in_.ok && in_.in.empty(); }
  const std::string& text() const noexcept { return text_; }

private:
  core::reader in_;
  std::string text_;
};

void read_end(key_reader& key) {
  if (key.number<char>() == 'q') {
    key.space();
    key.say("queue", key.name());
    key.state();
  }
  key.time();
  key.job();
}

void read_request(key_reader& key) {
  if (key.number<char>() == 'x')
    key.say("day", std::to_string(key.number<std::uint32_t>()));
  key.space();
  key.say("queue", key.name());
  key.say("request", key.rest());
}

void read_link(key_reader& key) {
  auto outbox = key.number<char>() == 'o';
  key.say("to shard", std::to_string(core::index_of(key.number<core::shard_id>())));
  if (outbox)
    key.say("message", std::to_string(key.number<std::uint64_t>()));
}

/// One part after another, as `snapshot_keys` writes them.
void read_key(table in, key_reader& key) {
  switch (in) {
  case table::live:
  case table::done: return key.job();
  case table::chunks:
    key.job();
    return key.say("record", std::to_string(key.number<std::uint64_t>()));
  case table::graphs: key.space(); return key.say("graph", to_string(key.number<graph_id>()));
  case table::links: return read_link(key);
  case table::idempotency: return read_request(key);
  case table::by_state:
    key.space();
    key.state();
    return key.job();
  case table::by_queue:
    key.space();
    key.say("queue", key.name());
    return key.job();
  case table::by_label:
    key.space();
    key.say("label", key.name() + "=" + key.name());
    return key.job();
  case table::by_end: return read_end(key);
  case table::rows:
    key.space();
    key.say("queue", key.name());
    return key.say("key", key.rest());
  case table::totals:
    key.space();
    key.say("queue", key.name());
    key.state();
    if (key.number<bool>())
      key.say("with", "a retention of their own");
    return;
  case table::meta: key.rest();
  }
}

std::string digits_of(core::byte_view key) {
  constexpr std::string_view digits = "0123456789abcdef";
  constexpr std::size_t shown_max = 64;
  std::string text;
  for (auto byte : key.first(std::min(key.size(), shown_max))) {
    text += digits[byte >> 4];
    text += digits[byte & 15];
  }
  return key.size() > shown_max ? text + "…" : text;
}

} // namespace

const char* to_string(finding_kind x) noexcept { return kinds[std::size_t(x)].name; }
const char* advice(finding_kind x) noexcept { return kinds[std::size_t(x)].advice; }

void finding_list::add(finding x) {
  ++count_;
  if (kept_.size() < limits::verify_findings_max)
    kept_.push_back(std::move(x));
}

void finding_list::take(finding_list&& other) {
  auto beyond = other.count_ - other.kept_.size();
  for (auto& x : other.kept_)
    add(std::move(x));
  count_ += beyond;
  other = {};
}

std::string row_text(table in, core::byte_view key) {
  auto name = std::string{"table "} + to_string(in);
  if (key.empty())
    return name;
  key_reader parts{key};
  if (in != table::meta)
    read_key(in, parts);
  return in != table::meta && parts.ok() ? name + ", " + parts.text()
                                         : name + ", key " + digits_of(key);
}

} // namespace troupe::storage
