#include "node/http/session.hpp"

#include "core/names.hpp"
#include "node/http/cors.hpp"
#include "node/http/query.hpp"
#include "node/http/request_head.hpp"
#include "node/security/role_text.hpp"

/// What a connection reads, and what is refused of that.
namespace troupe::http {

namespace {

namespace beast_http = boost::beast::http;
using namespace std::chrono_literals;

bool is_ndjson(const std::string* type) {
  return is_type(type, "application/x-ndjson") || is_type(type, "application/ndjson")
         || is_type(type, "application/jsonl");
}

response unrouted_answer(const unrouted& x) {
  if (x.status == 400)
    return problem_answer(refusal::bad_request, x.detail);
  if (x.status == 404)
    return x.why == ec::none ? problem_answer(refusal::no_such_route, x.detail)
                             : problem_answer(x.why);
  auto answer = problem_answer(refusal::wrong_method, x.detail);
  std::string methods;
  for (auto& method : x.allowed)
    methods += (methods.empty() ? "" : ", ") + method;
  answer.fields.add("Allow", methods);
  return answer;
}

/// At least the shortest time that can be waited for.
std::chrono::milliseconds left_until(std::chrono::steady_clock::time_point until) {
  auto left = until - std::chrono::steady_clock::now();
  return std::max(std::chrono::floor<std::chrono::milliseconds>(left), 1ms);
}

/// How long a body may take of which so much has come.
std::chrono::milliseconds time_for(std::size_t bytes, std::chrono::milliseconds first) {
  return first + std::chrono::milliseconds{bytes * 1000 / body_bytes_per_second_min};
}

constexpr int empty_lines_max = 2; ///< Before a request line, as some old clients send them.

} // namespace

asio::awaitable<std::size_t> session::read_more(milliseconds limit) {
  if (buffer_.size() >= buffer_.max_size())
    co_return 0;
  auto room = std::min(session_read_bytes, buffer_.max_size() - buffer_.size());
  auto n = co_await wire_->read(buffer_.prepare(room), limit);
  buffer_.commit(n);
  co_return n;
}

/// Waits for the first byte of a request, behind empty lines (RFC 9112, 2.2). False: none comes.
asio::awaitable<bool> session::await_request() {
  constexpr std::string_view empty_line = "\r\n";
  idle_ = true;
  auto idle_time = still_crowded() ? std::min<milliseconds>(options_->idle_time, crowded_idle_time)
                                   : options_->idle_time;
  for (int lines = 0;;) {
    auto came = buffer_.cdata();
    std::string_view text{static_cast<const char*>(came.data()), came.size()};
    if (!text.empty() && (lines == empty_lines_max || !empty_line.starts_with(text.substr(0, 2))))
      break;
    if (text.size() >= empty_line.size()) {
      buffer_.consume(empty_line.size());
      ++lines;
    } else if (closing_ || co_await read_more(idle_time) == 0) {
      co_return false;
    }
  }
  idle_ = false;
  co_return true;
}

/// False: there is no request to answer, or it was answered here, being none.
asio::awaitable<bool> session::read_header() {
  if (!co_await await_request())
    co_return false;
  auto until = std::chrono::steady_clock::now() + options_->header_time;
  boost::system::error_code code;
  for (;;) {
    code = {};
    buffer_.consume(parser_->put(buffer_.data(), code));
    if (parser_->is_header_done() || (code && code != beast_http::error::need_more))
      break;
    if (co_await read_more(left_until(until)) == 0) {
      if (!wire_->late())
        co_return false;
      auto slow = problem_answer(refusal::too_slow, "the header did not come whole in time");
      co_await answer_unread(std::move(slow));
      co_return false;
    }
  }
  if (parser_->is_header_done())
    co_return true;
  auto large = code == beast_http::error::header_limit;
  auto allowed = "allowed are " + std::to_string(options_->header_bytes_max) + " bytes";
  auto answer = large ? problem_answer(refusal::header_too_large, allowed)
                      : problem_answer(refusal::bad_request, code.message());
  co_await answer_unread(std::move(answer));
  co_return false;
}

request session::take_request() {
  request in;
  auto& from = parser_->get();
  in.method = std::string{from.method_string()};
  in.target = std::string{from.target()};
  in.path = in.target.substr(0, in.target.find('?'));
  for (auto& x : from)
    in.fields.add(std::string{x.name_string()}, std::string{x.value()});
  in.id = request_id_of(in.fields.find("X-Request-Id"));
  return in;
}

std::optional<response> session::authenticate(request& in, const route& to) {
  auto& check = options_->authenticate;
  if (!to.needs)
    return {};
  if (!check) {
    in.who = {{}, "local", {}, role::admin}; // Only where no other machine gets to.
  } else {
    auto key = bearer_of(in.fields.find("Authorization"));
    if (!key)
      return problem_answer(refusal::no_key, key.error().detail);
    auto who = check(*key);
    if (!who)
      return problem_answer(refusal::no_key, who.error().detail);
    in.who = std::move(*who);
  }
  if (!node::may(in.who.role, *to.needs))
    return problem_answer(refusal::forbidden, node::denial(in.who.role, *to.needs));
  if (check)
    let_in_ =
        admission{std::string{*bearer_of(in.fields.find("Authorization"))}, *to.needs, in.who.ns};
  if (!still_crowded() || node::may(in.who.role, action::control))
    return {};
  if (options_->rejected)
    options_->rejected(kind_of(refusal::too_many_connections).code);
  return problem_answer(refusal::too_many_connections, "the rest is kept for operators");
}

/// Whether it still takes the place of an operator.
bool session::still_crowded() {
  crowded_ = crowded_ && shared_.open + options_->connections_reserved > options_->connections_max;
  return crowded_;
}

/// Whether the body is of a type and size that the route takes, as far as the header tells.
std::optional<response> session::refuse_body(const request& in, const route& to) const {
  auto length = parser_->content_length();
  auto there = parser_->chunked() || (length && *length > 0);
  auto type = in.fields.find("Content-Type");
  if (to.body == body_mode::none)
    return there ? std::optional{problem_answer(refusal::bad_request,
                                                "there must be no body: path and query say all")}
                 : std::nullopt;
  if (to.body == body_mode::bytes)
    return {};
  if (!is_utf8(type))
    return problem_answer(refusal::wrong_media_type, "JSON is UTF-8: expected no other charset");
  if (to.body == body_mode::ndjson)
    return is_ndjson(type) ? std::nullopt
                           : std::optional{problem_answer(refusal::wrong_media_type,
                                                          "expected application/x-ndjson")};
  if ((to.body == body_mode::json || there) && !is_type(type, "application/json"))
    return problem_answer(refusal::wrong_media_type, "expected application/json");
  if (length && *length > options_->body_bytes_max)
    return problem_answer(refusal::body_too_large, "it has " + std::to_string(*length)
                                                       + " bytes, allowed are "
                                                       + std::to_string(options_->body_bytes_max));
  return {};
}

/// Whether it is sent to this node, by a page that may. `named`: the authority of its target.
std::optional<response> session::refuse_place(const request& in, const std::string& named) {
  auto host = in.fields.find("Host");
  auto origin = in.fields.find("Origin");
  if (!host)
    return problem_answer(refusal::bad_request, "it must have one header Host");
  auto& authority = named.empty() ? *host : named;
  if (!is_authority(authority))
    return problem_answer(refusal::bad_request, "the host is not a name, or a name and a port");
  if (!names_this(*options_, authority))
    return problem_answer(refusal::foreign_host, "the request came for the host "
                                                     + core::quoted(authority)
                                                     + ", which is not one of this node's");
  if (origin && !may_call(*options_, *origin, authority))
    return problem_answer(refusal::foreign_origin, "the origin is not one of this node's");
  reader_ = reader_of(*options_, in);
  return {};
}

/// All that can be said before the body is read. Sets the route as soon as it is known.
std::optional<response> session::refuse(request& in, const route*& to) {
  if (auto x = refuse_head(in.fields, parser_->get().version() == 10)) {
    keep_ = false; // Where its body ends is not sure.
    return x;
  }
  auto target = target_of(in.target);
  if (!target)
    return problem_answer(refusal::bad_request, target.error().detail);
  in.path = std::move(target->path);
  if (auto x = refuse_place(in, target->authority))
    return x;
  auto query = parse_query(target->query);
  auto found = shared_.routes.find(in.method, in.path);
  if (auto none = std::get_if<unrouted>(&found))
    return !reader_.empty() && none->status == 405 && is_preflight(in)
               ? preflight_answer(none->allowed)
               : unrouted_answer(*none);
  auto& routed = std::get<http::routed>(found);
  to = routed.to;
  in.arguments = std::move(routed.arguments);
  if (auto x = authenticate(in, *to))
    return x;
  if (!query)
    return problem_answer(refusal::bad_query, query.error().detail);
  in.query = std::move(*query);
  if (in.method == "POST" && to->instead_of_key && in.fields.find("Idempotency-Key"))
    return problem_answer(refusal::bad_request,
                          "the header Idempotency-Key does nothing here: " + *to->instead_of_key);
  if (auto x = refuse_body(in, *to))
    return x;
  if (options_->may_change && is_change(in, to->needs))
    if (auto ready = options_->may_change(); !ready)
      return problem_answer(ready.error());
  return {};
}

/// The next piece of the body; empty at its end.
asio::awaitable<result<std::string>> session::read_piece(milliseconds limit) {
  auto until = std::chrono::steady_clock::now() + limit;
  auto starved = buffer_.size() == 0;
  while (!parser_->is_done()) {
    if (starved && buffer_.size() == buffer_.max_size())
      co_return error{ec::invalid_spec, "the body is malformed: the line before a chunk, or what "
                                        "stands behind the last one, has more than "
                                            + std::to_string(buffer_.max_size()) + " bytes"};
    if (starved && co_await read_more(left_until(until)) == 0)
      co_return error{wire_->late() ? ec::timed_out : ec::not_ready, "the body did not come whole"};
    std::string piece(buffer_.size(), '\0');
    boost::system::error_code code;
    auto& body = parser_->get().body();
    body.data = piece.data();
    body.size = piece.size();
    auto used = parser_->put(buffer_.data(), code);
    buffer_.consume(used);
    if (auto n = piece.size() - body.size; n > 0) {
      piece.resize(n);
      co_return piece;
    }
    if (code && code != beast_http::error::need_more && code != beast_http::error::need_buffer)
      co_return error{ec::invalid_spec, "the body is malformed: " + code.message()};
    starved = used == 0 || buffer_.size() == 0;
  }
  co_return std::string{};
}

std::shared_ptr<held_bytes> session::room() const {
  return std::make_shared<held_bytes>(shared_.bodies, options_->bodies_bytes_max);
}

/// What has come, and what is wrong with it. Nothing: the body may go on.
std::optional<response> session::add_to_body(request& in, result<std::string> piece) const {
  if (!piece)
    return problem_answer(refusal_of_body(piece.code()), piece.error().detail);
  if (revoked_)
    return problem_answer(refusal::no_key, "the key was revoked meanwhile");
  auto bytes = in.body.size() + piece->size();
  if (bytes > options_->body_bytes_max)
    return problem_answer(refusal::body_too_large,
                          "allowed are " + std::to_string(options_->body_bytes_max) + " bytes");
  if (in.room->hold(bytes)) {
    in.body += *piece;
    return {};
  }
  if (options_->rejected)
    options_->rejected(to_string(ec::overloaded));
  return problem_answer(error{ec::overloaded, "the node holds too many bytes of other requests; "
                                              "repeat it after a while"});
}

/// The whole body. Gives the answer if it cannot be had; one without a status: nobody is there.
asio::awaitable<std::optional<response>> session::read_body(request& in) {
  if (parser_->is_done())
    co_return std::nullopt;
  in.room = room();
  auto begun = std::chrono::steady_clock::now();
  while (!parser_->is_done()) {
    auto until = begun + time_for(in.body.size(), options_->body_time);
    auto piece = co_await read_piece(std::min(options_->body_time, left_until(until)));
    auto refused = add_to_body(in, std::move(piece));
    if (!refused)
      continue;
    keep_ = false;
    in.body = {};
    in.room = {};
    co_return refused;
  }
  co_return std::nullopt;
}

} // namespace troupe::http
