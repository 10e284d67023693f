#include "core/admission.hpp"
#include "graph_json/value_json.hpp"
#include "node/http/api.hpp"
#include "node/http/byte_range.hpp"
#include "node/http/request_head.hpp"

#include <charconv>

namespace troupe::http {

namespace {

constexpr std::string_view bytes_type = "application/octet-stream";

std::span<const std::uint8_t> bytes_of(const std::string& text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

/// The name in the path; the call is answered if it is none.
std::optional<blob_id> name_of(const call_ptr& x) {
  auto id = parse_blob_id(x->in.arguments.name);
  if (!id)
    x->out(problem_answer(refusal::no_such_blob,
                          "a blob is named by the 64 hexadecimal digits of its SHA-256"));
  return id;
}

void refuse_blob(const call_ptr& x, const error& why) {
  if (why.code != ec::blob_missing)
    return refuse(x, why);
  x->out(problem_answer(refusal::no_such_blob, "there is no blob " + x->in.arguments.name));
}

/// Refuses what cannot be stored; who has no room for it is counted.
void refuse_to_store(const api_ptr& in, const call_ptr& x, const error& why) {
  if (in->outside.rejected && core::is_for_want_of_room(why.code))
    in->outside.rejected(to_string(why.code));
  refuse(x, why);
}

/// A blob as the body of an answer: one piece at a time, read by the pool.
class blob_body : public body_source, public std::enable_shared_from_this<blob_body> {
public:
  blob_body(api_ptr in, blob_reader from) : in_(std::move(in)), from_(std::move(from)) {}

  void next(taken then) override {
    auto read = [self = shared_from_this(), then = std::move(then)] {
      auto piece = self->from_.next(limits::http_piece_bytes_max);
      then(piece ? result<std::string>{std::string{piece->begin(), piece->end()}} : piece.error());
    };
    in_->pool.post(std::move(read), true); // One for each connection at most.
  }

private:
  const api_ptr in_;
  blob_reader from_;
};

/// A blob on its way in: a piece is written before the next one is asked for.
class upload : public std::enable_shared_from_this<upload> {
public:
  upload(api_ptr in, call_ptr to, const blob_id& name)
      : in_(std::move(in)), to_(std::move(to)), name_(name) {}

  /// Begins; on a thread of the pool.
  void begin() {
    was_there_ = bool(in_->node.blob(name_, to_->in.who.ns));
    auto sink = in_->node.put_blob(in_->outside.blob_bytes_max, to_->in.who.ns);
    if (!sink)
      return refuse_to_store(in_, to_, sink.error());
    sink_ = std::move(*sink);
    read();
  }

private:
  void read() {
    to_->in.stream->next(
        [self = shared_from_this()](result<std::string> piece) { self->take(std::move(piece)); });
  }

  void take(result<std::string> piece) {
    if (!piece)
      return to_->out(problem_answer(refusal_of_body(piece.code()), piece.error().detail));
    gathered_ += *piece;
    if (!to_->in.room->hold(gathered_.size()))
      return refuse_to_store(in_, to_,
                             error{ec::overloaded, "the node holds too many bytes of "
                                                   "other requests; repeat it after a "
                                                   "while"});
    auto is_last = piece->empty();
    if (!is_last && gathered_.size() < limits::http_piece_bytes_max)
      return read();
    in_->pool.post([self = shared_from_this(), is_last] { self->write(is_last); }, true);
  }

  void write(bool is_last) {
    if (auto written = sink_.append(bytes_of(gathered_)); !written)
      return refuse_to_store(in_, to_, written.error());
    bytes_ += gathered_.size();
    gathered_.clear();
    if (is_last)
      finish();
    else
      read();
  }

  void finish() {
    if (auto name = sink_.name(); name != name_)
      return to_->out(
          problem_answer(refusal::other_content, "the SHA-256 of what came is " + to_string(name)));
    if (auto kept = sink_.commit(); !kept)
      return refuse_to_store(in_, to_, kept.error());
    auto answer = json_answer(
        was_there_ ? 200 : 201,
        value::object{{"hash", to_string(name_)}, {"bytes", static_cast<std::int64_t>(bytes_)}});
    answer.fields.add("Location", "/v1/blobs/" + to_string(name_));
    to_->out(std::move(answer));
  }

  const api_ptr in_;
  const call_ptr to_;
  const blob_id name_;
  bool was_there_ = false;
  blob_upload sink_;
  std::string gathered_;
  std::uint64_t bytes_ = 0;
};

/// Whether the header tells of more than is taken; then the call is answered.
bool is_too_large(const api_ptr& in, const call_ptr& to) {
  auto length = to->in.fields.find("Content-Length");
  std::uint64_t bytes = 0;
  if (length)
    std::from_chars(length->data(), length->data() + length->size(), bytes);
  if (bytes <= in->outside.blob_bytes_max)
    return false;
  refuse(to, {ec::too_large, "a blob has at most " + std::to_string(in->outside.blob_bytes_max)
                                 + " bytes, this one has " + *length});
  return true;
}

void put_blob(const api_ptr& in, const call_ptr& to) {
  if (has_bad_query(to, {}))
    return;
  auto name = name_of(to);
  if (!name || is_too_large(in, to))
    return;
  auto x = std::make_shared<upload>(in, to, *name);
  on_pool(in, to, [x] { x->begin(); });
}

response no_such_range(const byte_range& wanted, std::uint64_t bytes) {
  auto x =
      problem_answer(refusal::no_such_range, "the blob has " + std::to_string(bytes)
                                                 + " bytes, and none of those that are asked for");
  x.fields.add("Content-Range", content_range(wanted, bytes));
  return x;
}

void show_bytes(const api_ptr& in, const call_ptr& to, const blob_id& name) {
  auto blob = in->node.blob(name, to->in.who.ns);
  if (!blob)
    return refuse_blob(to, blob.error());
  const auto tag = "\"" + to_string(name) + "\"";
  response x{200, std::string{bytes_type}};
  x.fields.add("ETag", tag);
  if (names_tag(to->in.fields, "If-None-Match", tag)) {
    x.status = 304;
    return to->out(std::move(x));
  }
  x.fields.add("Accept-Ranges", "bytes");
  x.length = blob->bytes();
  auto part = to->in.method == "GET" ? range_of(to->in.fields, blob->bytes(), tag) : std::nullopt;
  if (part && part->count == 0)
    return to->out(no_such_range(*part, blob->bytes()));
  if (part) {
    x.status = 206;
    x.fields.add("Content-Range", content_range(*part, blob->bytes()));
    x.length = part->count;
    blob->only(part->first, part->count);
  }
  x.stream = std::make_shared<blob_body>(in, std::move(*blob));
  to->out(std::move(x));
}

void show_value(const api_ptr& in, const call_ptr& to, const blob_id& name) {
  auto held = in->node.blob_value(name, to->in.who.ns);
  if (held)
    return to->out(json_answer(200, *held));
  if (held.code() != ec::invalid_spec && held.code() != ec::too_large) // No value is so large.
    return refuse_blob(to, held.error());
  if (accepts(to->in.fields, bytes_type))
    return show_bytes(in, to, name);
  to->out(problem_answer(refusal::not_json, held.error().detail));
}

void get_blob(const api_ptr& in, const call_ptr& to) {
  if (has_bad_query(to, {}))
    return;
  auto name = name_of(to);
  if (!name)
    return;
  auto show = prefers(to->in.fields, "application/json", bytes_type) ? show_value : show_bytes;
  on_pool(in, to, [in, to, show, name = *name] { show(in, to, name); });
}

} // namespace

void add_blob_routes(const api_ptr& to, std::vector<route>& all) {
  using enum body_mode;
  const std::string path = "/v1/blobs/{hash}";
  all.push_back({"GET", path, bound(to, get_blob), none, action::read_blobs});
  all.push_back({"PUT", path, bound(to, put_blob), bytes, action::store_blobs});
}

} // namespace troupe::http
