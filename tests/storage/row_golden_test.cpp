#include "storage/job_row.hpp"
#include "storage/snapshot_read.hpp"
#include "storage/table_row.hpp"
#include "tests/support/golden.hpp"

using namespace troupe;
using namespace troupe::storage;
using namespace troupe::tests;
using namespace std::chrono_literals;
using core::bytes;
using core::shard_time;

namespace {

void check_golden(const char* file, const named_bytes& now) {
  auto kept = golden(std::string{"storage/golden/"} + file);
  for (auto& [name, data] : now)
    CHECK(name + " " + hex(data) == name + " " + hex(kept[name]));
  CHECK(kept.size() == now.size());
}

constexpr job_id some_id{0x0123456789ab7abc, 0x8000000000000001};
constexpr shard_time some_time{1'700'000'000'123ms};

graph_id some_graph() {
  graph_id id;
  for (std::size_t i = 0; i < id.sha256.size(); ++i)
    id.sha256[i] = static_cast<std::uint8_t>(i);
  return id;
}

/// What most jobs have, nothing else.
job_row plain_row() {
  job_row x;
  x.id = some_id;
  x.ns = namespace_id{0x01020304};
  x.created = some_time;
  x.spec.queue = "default";
  x.spec.graph = some_graph();
  x.records = 1;
  x.bytes = 110;
  return x;
}

/// No field at its default.
job_row full_row() {
  auto x = plain_row();
  x.state = core::job_state::failed;
  x.started = some_time + 5ms;
  x.ended = some_time + 2h;
  x.records = 300;
  x.bytes = 70'000;
  x.spec.labels = {{"a", "b"}, {"team", "red"}};
  x.spec.max_parallel = 8;
  x.spec.retry_of = {5, 6};
  x.spec.parent = {7, 8};
  x.spec.parent_vertex = 9;
  x.spec.parent_proof = {0x1111111111111111, 0x2222222222222222};
  x.spec.idempotency_key = "key";
  x.spec.request_digest = bytes(32, 7);
  x.spec.retention = 25h;
  x.spec.expires_at = some_time + 3s;
  x.error = {"exit_code", "/config", "ended with 3"};
  x.wake_at = some_time + 4s;
  x.blobs = {some_graph().sha256, sha256_digest{0xff}};
  return x;
}

std::map<std::string, job_row> examples() {
  std::map<std::string, job_row> all{{"plain", plain_row()}, {"full", full_row()}};
  auto add = [&](const char* name, auto&& set) { set(all[name] = plain_row()); };
  add("labels", [](job_row& x) { x.spec.labels = full_row().spec.labels; });
  add("max_parallel", [](job_row& x) { x.spec.max_parallel = 8; });
  add("retry_of", [](job_row& x) { x.spec.retry_of = {5, 6}; });
  add("key", [](job_row& x) { x.spec.idempotency_key = "key"; });
  add("times", [](job_row& x) { x.spec.retention = 25h; });
  add("error", [](job_row& x) { x.error = full_row().error; });
  add("passive", [](job_row& x) { x.wake_at = some_time + 4s; });
  add("blobs", [](job_row& x) { x.blobs = full_row().blobs; });
  return all;
}

} // namespace

TEST_CASE("version 1 of the row of a job stays as it was first written", "[storage][golden]") {
  named_bytes now;
  for (auto& [name, row] : examples())
    now[name] = encode(row);
  check_golden("job_row_v1.txt", now);
  auto kept = golden("storage/golden/job_row_v1.txt");
  for (auto& [name, row] : examples()) {
    CAPTURE(name);
    auto read = decode_job_row(some_id, kept[name]);
    REQUIRE(read);
    CHECK(*read == row);
  }
}

TEST_CASE("a row of a job that is cut off, longer or of a newer version is refused",
          "[storage][golden]") {
  for (auto& [name, row] : examples()) {
    CAPTURE(name);
    auto data = encode(row);
    for (std::size_t size = 0; size < data.size(); ++size)
      CHECK(decode_job_row(some_id, core::byte_view{data}.first(size)).code()
            == ec::journal_corrupt);
    auto longer = data;
    longer.push_back(0);
    CHECK(decode_job_row(some_id, longer).code() == ec::journal_corrupt);
    auto newer = data;
    ++newer[0];
    CHECK(decode_job_row(some_id, newer).code() == ec::newer_format);
  }
}

TEST_CASE("the other rows of the snapshot stay as they were first written", "[storage][golden]") {
  core::shard_link link{3, 300, {}};
  shard_meta meta{300, core::epoch{7}, some_time, 2, some_id};
  named_bytes now{{"meta", encode(meta)},
                  {"request", encode(request_row{some_id, some_time, bytes(32, 7)})},
                  {"count", encode(job_count{300, 70'000})},
                  {"graph_use", encode(graph_use{some_time, 300})},
                  {"link", encode(link)},
                  {"outbox", outbox_row(namespace_id{0x01020304}, {1, 2, 3})}};
  check_golden("rows_v1.txt", now);
}

TEST_CASE("the keys of the snapshot stay as they were first written", "[storage][golden]") {
  core::shard_id s{3}, other{2};
  namespace_id ns{0x01020304};
  keys::scope in{ns, "default"};
  keys::name_in name{in, "key"};
  auto state = core::job_state::completed;
  named_bytes now{
      {"job", keys::job(s, some_id)},
      {"chunk", keys::chunk(s, some_id, 300)},
      {"graph", keys::graph(s, ns, some_graph())},
      {"state", keys::with_id(keys::state(s, ns, state), some_id)},
      {"queue", keys::with_id(keys::queue(s, in), some_id)},
      {"label", keys::with_id(keys::label(s, ns, "team", "red"), some_id)},
      {"label.long", keys::with_id(keys::label(s, ns, "team", std::string(300, 'x')), some_id)},
      {"end", keys::with_id(keys::with_time(keys::end(s, in, state), some_time), some_id)},
      {"own_end", keys::with_id(keys::with_time(keys::own_end(s), some_time), some_id)},
      {"outbox", keys::outbox(s, other, 300)},
      {"peer", keys::peer(s, other)},
      {"request", keys::request(s, name)},
      {"expiry", keys::expiry(s, 20'000, name)},
      {"row", keys::row(s, name)},
      {"total", keys::total(s, in, state, false)},
      {"total.own", keys::total(s, in, state, true)},
      {"meta", keys::meta(s)},
      {"newest_segment", keys::newest_segment()}};
  check_golden("keys_v1.txt", now);
}

TEST_CASE("the checksum and the digest of a row never change", "[storage][golden]") {
  bytes key{1, 2, 3}, value{4, 5};
  CHECK(row_checksum(number_of(table::live), key, value) == 0x6b32436b);
  CHECK(row_digest(table::live, key, value) == 0x9a47ac7a362b5294);
}
