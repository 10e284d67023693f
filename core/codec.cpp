#include "core/crc32c.hpp"
#include "core/records.hpp"

#include <limits>

namespace troupe::core {

namespace {

enum class flag : std::uint8_t { required, ignorable };

struct envelope {
  std::uint32_t length = 0;
  std::uint16_t type = 0;
  std::uint8_t version = 0;
  flag kind{};
  std::uint32_t crc = 0;
};

constexpr std::size_t checked_head_bytes = 8, head_bytes = 12;

/// One list of fields serves both directions; a change of a list is a new version.
struct out_fields {
  writer out;

  void operator()(const auto&... xs) { (one(xs), ...); }

private:
  void one(const auto& x) { out(x); }
  void one(const payload& x) { put(out, x); }
  void one(const vertex_outcome& x);
  void one(const bytes& x) {
    out(static_cast<std::uint32_t>(x.size()));
    out.out.insert(out.out.end(), x.begin(), x.end());
  }
  template <class T>
  void one(const std::vector<T>& xs) {
    out.put_varint(xs.size());
    for (auto& x : xs)
      one(x);
  }
  void one(const std::map<std::string, std::string>& xs) {
    out.put_varint(xs.size());
    for (auto& [key, x] : xs)
      (*this)(key, x);
  }
};

struct in_fields {
  reader in;

  void operator()(auto&... xs) { (one(xs), ...); }

private:
  void one(auto& x) { in(x); }
  void one(payload& x) { get(in, x); }
  void one(vertex_outcome& x);
  void one(bytes& x) {
    std::uint32_t size = 0;
    in(size);
    auto taken = in.take(size);
    x.assign(taken.begin(), taken.end());
  }
  std::uint32_t get_u32() {
    auto x = in.get_varint();
    in.ok = in.ok && x <= std::numeric_limits<std::uint32_t>::max();
    return in.ok ? static_cast<std::uint32_t>(x) : 0;
  }
  template <class T>
  void one(std::vector<T>& xs) {
    for (auto left = in.get_varint(); left > 0 && in.ok; --left)
      one(xs.emplace_back());
  }
  void one(std::map<std::string, std::string>& xs) {
    for (auto left = in.get_varint(); left > 0 && in.ok; --left) {
      std::string key, x;
      (*this)(key, x);
      in.ok = in.ok && (xs.empty() || xs.rbegin()->first < key);
      xs.emplace_hint(xs.end(), std::move(key), std::move(x));
    }
  }
};

// An outcome is most of a journal: fields that are seldom set cost one bit each.
enum outcome_bits : std::uint8_t {
  end_bits = 3,
  has_retry = 4,
  has_error = 8,
  has_untaken = 16,
  has_output = 32
};

std::uint8_t bits_of(const vertex_outcome& x) {
  auto bits = static_cast<std::uint8_t>(x.outcome);
  bits |= x.retry_at != shard_time{} ? has_retry : 0;
  bits |= x.error != problem{} ? has_error : 0;
  bits |= !x.untaken.empty() ? has_untaken : 0;
  bits |= x.output != payload{} ? has_output : 0;
  return bits;
}

void out_fields::one(const vertex_outcome& x) {
  auto bits = bits_of(x);
  out.put_varint(x.vertex);
  out(bits);
  out.put_varint(static_cast<std::uint64_t>(x.took.count()));
  if (bits & has_retry)
    out(x.retry_at);
  if (bits & has_error)
    out(x.error);
  if (bits & has_untaken) {
    out.put_varint(x.untaken.size());
    for (auto edge : x.untaken)
      out.put_varint(edge);
  }
  if (bits & has_output)
    put(out, x.output);
}

void in_fields::one(vertex_outcome& x) {
  x.vertex = get_u32();
  std::uint8_t bits = 0;
  in(bits);
  x.outcome = attempt_end(bits & end_bits);
  x.took = duration{static_cast<duration::rep>(in.get_varint())};
  if (bits & has_retry)
    in(x.retry_at);
  if (bits & has_error)
    in(x.error);
  if (bits & has_untaken)
    for (auto left = in.get_varint(); left > 0 && in.ok; --left)
      x.untaken.push_back(get_u32());
  if (bits & has_output)
    get(in, x.output);
  in.ok = in.ok && bits == bits_of(x);
}

template <class F, class T>
concept body_of = std::same_as<std::remove_const_t<F>, T>;

void fields(auto& f, body_of<feature_level_raised> auto& x) { f(x.level); }

// What few jobs have costs them one bit.
enum added_bits : std::uint8_t {
  has_parallel = 1,
  has_retry_of = 2,
  has_parent = 4,
  has_key = 8,
  has_retention = 16,
  has_expiry = 32
};

std::uint8_t bits_of(const job_added& x) {
  std::uint8_t bits = x.max_parallel != 0 ? has_parallel : 0;
  bits |= x.retry_of != job_id{} ? has_retry_of : 0;
  auto parent = x.parent != job_id{} || x.parent_vertex != 0 || x.parent_proof != token{};
  bits |= parent ? has_parent : 0;
  bits |= !x.idempotency_key.empty() || !x.request_digest.empty() ? has_key : 0;
  bits |= x.retention != duration{} ? has_retention : 0;
  bits |= x.expires_at != shard_time{} ? has_expiry : 0;
  return bits;
}

void seldom_fields(auto& f, body_of<job_added> auto& x, std::uint8_t bits) {
  if (bits & has_parallel)
    f(x.max_parallel);
  if (bits & has_retry_of)
    f(x.retry_of);
  if (bits & has_parent)
    f(x.parent, x.parent_vertex, x.parent_proof);
  if (bits & has_key)
    f(x.idempotency_key, x.request_digest);
  if (bits & has_retention)
    f(x.retention);
  if (bits & has_expiry)
    f(x.expires_at);
}

void fields(out_fields& f, const job_added& x) {
  auto bits = bits_of(x);
  f(x.queue, x.graph, x.input, x.labels, bits);
  seldom_fields(f, x, bits);
}

void fields(in_fields& f, job_added& x) {
  std::uint8_t bits = 0;
  f(x.queue, x.graph, x.input, x.labels, bits);
  seldom_fields(f, x, bits);
  f.in.ok = f.in.ok && bits == bits_of(x); // One form only.
}

/// As version 1 had them.
void fields_v1(in_fields& f, job_added& x) {
  f(x.queue, x.graph, x.input, x.labels, x.max_parallel, x.retry_of, x.parent, x.parent_vertex,
    x.parent_proof);
}

void fields(auto& f, body_of<job_moved> auto& x) { f(x.from, x.to, x.reason, x.error); }
void fields(auto& f, body_of<attempt_started> auto& x) { f(x.vertex, x.number, x.proof, x.due); }
void fields(auto& f, body_of<attempt_ended> auto& x) { f(x.proof, x.end); }
void fields(auto& f, body_of<vertices_ended> auto& x) { f(x.ends); }
void fields(auto& f, body_of<attempt_lost> auto& x) { f(x.vertex, x.proof, x.counts); }
void fields(auto& f, body_of<vertices_reused> auto& x) { f(x.ends); }
void fields(auto& f, body_of<stream_appended> auto& x) {
  f(x.vertex, x.attempt, x.offset, x.kind, x.text, x.cut);
}
void fields(auto& f, body_of<message_sent> auto& x) { f(x.to, x.sequence, x.body); }
void fields(auto& f, body_of<message_received> auto& x) { f(x.from, x.sequence); }
void fields(auto& f, body_of<message_acknowledged> auto& x) { f(x.to, x.sequence); }

void fields(auto& f, body_of<job_deleted> auto& x) { f(x.reason); }
void fields(auto& f, body_of<job_passivated> auto& x) { f(x.wake_at); }
void fields(auto& f, body_of<row_written> auto& x) { f(x.queue, x.key, x.content); }
void fields(auto& f, body_of<row_erased> auto& x) { f(x.queue, x.key); }
void fields(auto& f, body_of<attempt_leased> auto& x) {
  f(x.vertex, x.number, x.proof, x.lease, x.worker);
}
void fields(auto& f, body_of<message_added> auto& x) { f(x.text); }

void scope(auto& f, auto& x) { f(x.ns, x.shard, x.job, x.at); }
constexpr std::size_t scope_job_offset = sizeof(namespace_id) + sizeof(shard_id);

/// Reads the body if a known type has this number and version.
template <class... Ts>
bool read_body(in_fields& f, std::uint16_t type, std::uint8_t version, std::variant<Ts...>& body) {
  if (type == job_added::type.number && version == 1) {
    fields_v1(f, body.template emplace<job_added>());
    return true;
  }
  return ((type == Ts::type.number && version == Ts::type.version
           && (fields(f, body.template emplace<Ts>()), true))
          || ...);
}

/// Takes one record's envelope and body off the front of `in`.
result<byte_view> take_record(reader& in, envelope& head, bool checked) {
  auto front = in.in;
  in(head.length, head.type, head.version);
  std::uint8_t kind = 0;
  in(kind, head.crc);
  head.kind = kind == 1 ? flag::ignorable : flag::required;
  auto body = in.take(head.length);
  if (!in.ok)
    return error{ec::journal_corrupt, "a record is cut short"};
  if (checked && head.crc != crc32c(body, crc32c(front.first(checked_head_bytes))))
    return error{ec::journal_corrupt, "the checksum of a record is wrong"};
  return body;
}

void overwrite_u32(bytes& out, std::size_t at, std::uint32_t x) {
  for (int shift = 24; shift >= 0; shift -= 8)
    out[at++] = static_cast<std::uint8_t>(x >> shift);
}

} // namespace

void encode(const record& x, bytes& out) {
  auto begin = out.size();
  out_fields f{{out}};
  std::visit(
      [&](auto& body) {
        f(std::uint32_t{0}, body.type.number, body.type.version, flag::required, std::uint32_t{0});
        scope(f, x);
        fields(f, body);
      },
      x.body);
  auto body_begin = begin + head_bytes;
  overwrite_u32(out, begin, static_cast<std::uint32_t>(out.size() - body_begin));
  byte_view all{out};
  auto crc = crc32c(all.subspan(body_begin), crc32c(all.subspan(begin, checked_head_bytes)));
  overwrite_u32(out, begin + checked_head_bytes, crc);
}

status decode(byte_view batch, const std::function<status(record&&)>& each) {
  for (reader in{batch}; !in.in.empty();) {
    envelope head;
    auto body = take_record(in, head, true);
    if (!body)
      return body.error();
    in_fields f{{*body}};
    record x;
    scope(f, x);
    if (!f.in.ok)
      return error{ec::journal_corrupt, "a record is shorter than its scope"};
    if (!read_body(f, head.type, head.version, x.body)) {
      if (head.kind == flag::ignorable)
        continue;
      return error{ec::unknown_record, "record type " + std::to_string(head.type) + " version "
                                           + std::to_string(head.version)
                                           + " is not known to this version of troupe"};
    }
    if (!f.in.ok || !f.in.in.empty())
      return error{ec::journal_corrupt, "the fields of a record do not fit its length"};
    if (auto handed = each(std::move(x)); !handed)
      return handed;
  }
  return {};
}

result<record_group> decode(byte_view batch) {
  record_group records;
  auto decoded = decode(batch, [&](record&& x) -> status {
    records.push_back(std::move(x));
    return {};
  });
  if (!decoded)
    return decoded.error();
  return records;
}

result<std::vector<record_place>> places_in(byte_view batch, bool checked) {
  std::vector<record_place> places;
  for (reader in{batch}; !in.in.empty();) {
    auto begin = static_cast<std::uint32_t>(batch.size() - in.in.size());
    envelope head;
    auto body = take_record(in, head, checked);
    if (!body)
      return body.error();
    if (body->size() < scope_job_offset + sizeof(job_id))
      return error{ec::journal_corrupt, "a record is shorter than its scope"};
    record_place place{
        {}, head.type, begin, static_cast<std::uint32_t>(batch.size() - in.in.size())};
    reader{body->subspan(scope_job_offset)}(place.job);
    places.push_back(place);
  }
  return places;
}

std::size_t count_records(byte_view batch) {
  std::size_t count = 0;
  envelope head;
  for (reader in{batch}; !in.in.empty() && take_record(in, head, false);)
    ++count;
  return count;
}

} // namespace troupe::core
