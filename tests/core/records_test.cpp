#include "core/crc32c.hpp"
#include "core/records.hpp"
#include "core/wire.hpp"
#include "tests/core/random_records.hpp"
#include "tests/support/golden.hpp"

#include <set>

using namespace troupe;
using namespace troupe::core;
using namespace std::chrono_literals;
using tests::random_records;

namespace {

bytes encoded(const record& x) {
  bytes out;
  encode(x, out);
  return out;
}

bytes encoded(const record_group& group) {
  bytes out;
  for (auto& x : group)
    encode(x, out);
  return out;
}

record_group random_group(random_records& make, int size) {
  record_group group;
  for (; size > 0; --size)
    group.push_back(make.any());
  return group;
}

/// An envelope with a right checksum around any body.
bytes enveloped(std::uint16_t type, std::uint8_t version, std::uint8_t flag, const bytes& body) {
  bytes out;
  writer{out}(static_cast<std::uint32_t>(body.size()), type, version, flag);
  auto crc = crc32c(body, crc32c(out));
  writer{out}(crc);
  out.insert(out.end(), body.begin(), body.end());
  return out;
}

/// The scope of every record: namespace, shard, job, time.
bytes scope() {
  bytes out;
  writer{out}(namespace_id{1}, shard_id{2}, job_id{3, 4}, shard_time{5ms});
  return out;
}

bytes operator+(bytes a, const bytes& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

record scoped(record_body body) {
  return {namespace_id{0x01020304},
          shard_id{3},
          {0x0123456789ab7abc, 0x8000000000000001},
          shard_time{1'700'000'000'123ms},
          std::move(body)};
}

/// Every type with no field at its default, and what a short form leaves out.
std::map<std::string, record> examples() {
  graph_id graph;
  for (std::size_t i = 0; i < graph.sha256.size(); ++i)
    graph.sha256[i] = static_cast<std::uint8_t>(i);
  blob_ref blob{graph.sha256, 70'000};
  problem wrong{"exit_code", "/config", "ended with 3"};
  payload data{value::object{{"list", value::list{1, 2.5, "x", true, {}}}}};
  vertex_outcome well{1, attempt_end::succeeded, 25ms, {}, data, {}, {0, 300}};
  vertex_outcome again{200, attempt_end::timed_out, 3s, shard_time{1'700'000'001s}, {}, wrong, {}};
  vertex_outcome stored{2, attempt_end::succeeded, {}, {}, payload{blob}, {}, {}};
  token proof{0x1111111111111111, 0x2222222222222222};
  job_added added{
      "default", graph,        data, {{"a", "b"}, {"team", "red"}}, 8, {5, 6}, {7, 8}, 9, proof,
      "key",     bytes(32, 7), 25h,  shard_time{1'700'000'003s}};
  return {
      {"feature_level_raised", scoped(feature_level_raised{1})},
      {"job_deleted", scoped(job_deleted{"retention"})},
      {"job_passivated", scoped(job_passivated{shard_time{1'700'000'004s}})},
      {"row_written", scoped(row_written{"q", "k", {4, 5, 6}})},
      {"row_erased", scoped(row_erased{"q", "k"})},
      {"job_added", scoped(added)},
      {"job_added.plain", scoped(job_added{"q", graph, {}, {}, 0, {}, {}, 0, {}, {}, {}, {}, {}})},
      {"job_moved", scoped(job_moved{job_state::running, job_state::failed, "why", wrong})},
      {"attempt_started", scoped(attempt_started{2, 3, proof, shard_time{1'700'000'002s}})},
      {"attempt_leased", scoped(attempt_leased{2, 3, proof, 30s, "a worker"})},
      {"attempt_ended", scoped(attempt_ended{proof, well})},
      {"attempt_ended.retry", scoped(attempt_ended{proof, again})},
      {"vertices_ended", scoped(vertices_ended{{well, again, stored, {}}})},
      {"attempt_lost", scoped(attempt_lost{4, proof, true})},
      {"vertices_reused", scoped(vertices_reused{{stored, well}})},
      {"stream_appended", scoped(stream_appended{1, 2, 300, stream_kind::progress, "half", true})},
      {"message_added", scoped(message_added{"and a taxi"})},
      {"message_sent", scoped(message_sent{shard_id{2}, 7, {1, 2, 3}})},
      {"message_received", scoped(message_received{shard_id{1}, 7})},
      {"message_acknowledged", scoped(message_acknowledged{shard_id{2}, 7})},
  };
}

} // namespace

TEST_CASE("each record stays as it was first written", "[core][golden]") {
  auto kept = tests::golden("core/golden/records.txt");
  std::set<std::size_t> types;
  for (auto& [name, r] : examples()) {
    CAPTURE(name);
    types.insert(r.body.index());
    auto data = encoded(r);
    CHECK(tests::hex(data) == tests::hex(kept[name]));
    auto read = decode(data);
    REQUIRE(read);
    CHECK(*read == record_group{r});
  }
  CHECK(types.size() == std::variant_size_v<record_body>);
  CHECK(kept.size() == examples().size());
}

TEST_CASE("version 1 of a job is still read", "[core][golden]") {
  for (auto& [name, data] : tests::golden("core/golden/job_added_v1.txt")) {
    CAPTURE(name);
    auto read = decode(data);
    REQUIRE(read);
    auto wanted = examples().at(name);
    auto& added = std::get<job_added>(wanted.body);
    added.idempotency_key.clear();
    added.request_digest.clear();
    added.retention = {};
    added.expires_at = {};
    CHECK(*read == record_group{wanted});
  }
}

TEST_CASE("no two records have the same number", "[core][golden]") {
  std::set<std::uint16_t> numbers;
  for (auto& [name, r] : examples())
    std::visit([&](auto& body) { numbers.insert(body.type.number); }, r.body);
  CHECK(numbers.size() == std::variant_size_v<record_body>);
}

TEST_CASE("records are read as they were written", "[core][random]") {
  auto seed = GENERATE(take(50, random(0, 1 << 30)));
  CAPTURE(seed);
  random_records make(static_cast<std::uint64_t>(seed));
  for (int i = 0; i < 20; ++i) {
    auto group = random_group(make, 5);
    auto data = encoded(group);
    auto read = decode(data);
    REQUIRE(read);
    REQUIRE(*read == group);
    REQUIRE(encoded(*read) == data);
  }
}

TEST_CASE("a flipped bit is corrupt, whichever it is", "[core]") {
  for (auto& [name, r] : examples()) {
    auto good = encoded(r);
    CAPTURE(name);
    for (std::size_t bit = 0; bit < 8 * good.size(); ++bit) {
      auto bad = good;
      bad[bit / 8] ^= static_cast<std::uint8_t>(1 << bit % 8);
      CAPTURE(bit);
      REQUIRE(decode(bad).code() == ec::journal_corrupt);
      REQUIRE(places_in(bad, true).code() == ec::journal_corrupt);
    }
  }
}

TEST_CASE("a record that is cut short anywhere is corrupt", "[core]") {
  for (auto& [name, r] : examples()) {
    auto good = encoded(r);
    CAPTURE(name);
    for (std::size_t length = 1; length < good.size(); ++length) {
      auto part = byte_view{good}.first(length);
      REQUIRE(decode(part).code() == ec::journal_corrupt);
      REQUIRE(places_in(part, true).code() == ec::journal_corrupt);
    }
  }
  CHECK(decode(byte_view{})->empty());
}

TEST_CASE("fields that are cut short are corrupt although the checksum is right", "[core]") {
  for (auto& [name, r] : examples()) {
    auto good = encoded(r);
    auto [type, version] = std::visit([](auto& x) { return record_type{x.type}; }, r.body);
    bytes body(good.begin() + 12, good.end());
    CAPTURE(name);
    REQUIRE(enveloped(type, version, 0, body) == good);
    CHECK(decode(enveloped(type, version, 0, body + bytes{0})).code() == ec::journal_corrupt);
    for (; !body.empty(); body.pop_back()) {
      auto part = body;
      part.pop_back();
      REQUIRE(decode(enveloped(type, version, 0, part)).code() == ec::journal_corrupt);
    }
  }
}

TEST_CASE("an unknown record stops recovery unless it may be ignored", "[core]") {
  auto known = encoded(scoped(message_received{shard_id{1}, 2}));
  for (auto [type, version] : {std::pair{999, 1}, std::pair{2, 3}, std::pair{2, 0}}) {
    CAPTURE(type, version);
    auto body = scope() + bytes{1, 2, 3};
    auto number = static_cast<std::uint16_t>(type);
    auto v = static_cast<std::uint8_t>(version);
    CHECK(decode(known + enveloped(number, v, 0, body)).code() == ec::unknown_record);
    auto skipped = decode(enveloped(number, v, 1, body) + known);
    REQUIRE(skipped);
    CHECK(skipped->size() == 1);
    CHECK(decode(enveloped(number, v, 2, body)).code() == ec::unknown_record);
    CHECK(decode(enveloped(number, v, 1, {1, 2})).code() == ec::journal_corrupt); // No scope.
  }
}

TEST_CASE("a record has one form: any other is corrupt", "[core]") {
  bytes fields;
  writer{fields}(std::string{"q"}, graph_id{}, std::uint8_t{0});
  auto label = [](const char* key) {
    bytes out;
    writer{out}(std::string{key}, std::string{});
    return out;
  };
  bytes rest(4 + 16 + 16 + 4 + 16, 0);
  auto job = [&](bytes labels) {
    return decode(enveloped(2, 1, 0, scope() + fields + labels + rest));
  };
  CHECK(job(bytes{2} + label("a") + label("b")));
  CHECK(job(bytes{2} + label("b") + label("a")).code() == ec::journal_corrupt);
  CHECK(job(bytes{2} + label("a") + label("a")).code() == ec::journal_corrupt);

  auto ended = [](bytes ends) { return decode(enveloped(6, 1, 0, scope() + ends)); };
  CHECK(ended({1, 5, 0, 7}));
  CHECK(ended({1, 0x85, 0, 0, 7}).code() == ec::journal_corrupt); // A padded number.
  CHECK(ended({1, 5, 16, 7, 0}).code() == ec::journal_corrupt);   // An empty list that is told.
  CHECK(ended({1, 5, 32, 7, 0}).code() == ec::journal_corrupt);   // A null output that is told.
  CHECK(ended({1, 5, 64, 7}).code() == ec::journal_corrupt);      // A bit of no meaning.
  CHECK(ended({1, 0x80, 0x80, 0x80, 0x80, 0x10, 0, 7}).code() == ec::journal_corrupt); // 2^32.
}

TEST_CASE("the places of records agree with the records", "[core][random]") {
  auto seed = GENERATE(take(20, random(0, 1 << 30)));
  CAPTURE(seed);
  random_records make(static_cast<std::uint64_t>(seed));
  auto group = random_group(make, 20);
  auto data = encoded(group);
  for (auto checked : {false, true}) {
    auto places = places_in(data, checked);
    REQUIRE(places);
    REQUIRE(places->size() == group.size());
    std::uint32_t end = 0;
    for (std::size_t i = 0; i < group.size(); ++i) {
      auto& place = (*places)[i];
      CHECK(place.job == group[i].job);
      CHECK(place.type == std::visit([](auto& x) { return x.type.number; }, group[i].body));
      CHECK(place.begin == end);
      end = place.end;
      auto slice = byte_view{data}.subspan(place.begin, place.end - place.begin);
      CHECK(*decode(slice) == record_group{group[i]});
    }
    CHECK(end == data.size());
  }
}

TEST_CASE("a reader of a batch stops when it is told to", "[core]") {
  auto data =
      encoded({scoped(message_received{shard_id{1}, 1}), scoped(message_received{shard_id{1}, 2})});
  int seen = 0;
  auto stopped = decode(data, [&](record&&) -> status { return ++seen, ec::io_failed; });
  CHECK(stopped.code() == ec::io_failed);
  CHECK(seen == 1);
}
