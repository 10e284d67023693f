// The bytes of one connection through `session`, whole and in small pieces: whatever comes, each
// request is answered once, in well-formed HTTP, and it makes no difference how its bytes were cut.

#include "node/http/session.hpp"

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/beast/http/string_body.hpp>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <iostream>

using namespace troupe;
using namespace troupe::http;

namespace {

using namespace std::chrono_literals;
namespace beast_http = boost::beast::http;

constexpr std::size_t header_max = 1024, body_max = 256;

void demand(bool holds, const char* promise) {
  if (holds)
    return;
  std::cerr << "broken: " << promise << "\n";
  std::abort();
}

/// A client that sends so many bytes at once, reads all, and closes its side at the end.
class memory_wire : public wire {
public:
  memory_wire(asio::io_context& io, std::string_view sent, std::size_t piece, std::string& got)
      : socket_(io), left_(sent), piece_(piece), got_(got) {}

  asio::awaitable<bool> begin(milliseconds) override { co_return true; }
  asio::awaitable<std::size_t> read(asio::mutable_buffer to, milliseconds) override {
    auto n = std::min({to.size(), left_.size(), piece_});
    std::memcpy(to.data(), left_.data(), n);
    left_.remove_prefix(n);
    co_return n;
  }
  asio::awaitable<bool> write(std::vector<asio::const_buffer> from, milliseconds) override {
    for (auto& x : from)
      got_.append(static_cast<const char*>(x.data()), x.size());
    co_return true;
  }
  asio::awaitable<void> finish(milliseconds) override { co_return; }
  void cancel() override {}
  asio::ip::tcp::socket& socket() override { return socket_; }

private:
  asio::ip::tcp::socket socket_;
  std::string_view left_;
  const std::size_t piece_;
  std::string& got_;
};

void check(const request& in) {
  demand(in.body.size() <= body_max, "a body has a bound");
  demand(!in.id.empty(), "a request has an id");
  for (auto& [name, text] : in.fields)
    demand(text.find_first_of("\r\n") == text.npos, "a field has one line");
}

std::vector<route> routes() {
  auto echo = [](const call_ptr& x) {
    check(x->in);
    x->out({200, "text/plain", x->in.method + x->in.body});
  };
  auto stream = [](const call_ptr& x) {
    response out{200, "text/plain"};
    out.stream = x->in.stream;
    x->out(std::move(out));
  };
  return {{"GET", "/livez", echo, body_mode::none, {}},
          {"GET", "/v1/jobs", echo},
          {"POST", "/v1/jobs", echo, body_mode::json, action::submit},
          {"POST", "/v1/jobs/{job}:cancel", echo, body_mode::empty, action::control},
          {"POST", "/v1/jobs:batch", stream, body_mode::ndjson, action::submit},
          {"PUT", "/v1/blobs/{hash}", stream, body_mode::bytes, action::submit},
          {"GET", "/drop", [](const call_ptr&) {}}};
}

/// A request that was served: what it was, and what came of it.
struct line {
  std::string method, target;
  int status;
  bool gone;
  bool operator==(const line&) const = default;
};

struct outcome {
  std::vector<line> lines;
  std::string got;
};

outcome serve(std::string_view sent, std::size_t piece) {
  outcome x;
  http_options options;
  options.header_bytes_max = header_max;
  options.body_bytes_max = body_max;
  options.observe = [&](const served& s) {
    if (s.method != "-") // What is no request may end as it comes, or be refused.
      x.lines.push_back({std::string{s.method}, std::string{s.target}, s.status, s.gone});
  };
  shared_parts shared{live_options{options}, router{routes()}};
  asio::io_context io{1};
  auto one = std::make_shared<session>(std::make_unique<memory_wire>(io, sent, piece, x.got),
                                       shared, false);
  auto ended = false;
  asio::co_spawn(io, one->run(), [&](std::exception_ptr broken) { ended = !broken; });
  io.run_for(30s);
  demand(ended, "a connection comes to its end");
  return x;
}

/// Takes one answer off the text; its status, or 0 if it is not whole.
int take_answer(std::string_view& text, bool is_head) {
  beast_http::response_parser<beast_http::string_body> parser;
  parser.skip(is_head);
  parser.eager(true);
  boost::system::error_code code;
  auto used = parser.put(asio::buffer(text), code);
  demand(!code || code == beast_http::error::need_more, "an answer is well-formed HTTP");
  text.remove_prefix(used);
  if (!parser.is_done())
    parser.put_eof(code); // Of a body that is as long as the connection.
  return parser.is_done() ? parser.get().result_int() : 0;
}

/// The answers are those to the requests that were served, and one more to what was none.
void check(const outcome& x) {
  std::string_view left = x.got;
  for (auto& request : x.lines) {
    if (request.gone)
      return;
    auto status = take_answer(left, request.method == "HEAD");
    if (status == 100)
      status = take_answer(left, request.method == "HEAD");
    demand(status == request.status, "each request has its own answer");
  }
  if (left.empty())
    return;
  auto last = take_answer(left, false);
  demand(last == 100 || (last >= 400 && last < 500), "what is no request is refused");
  demand(left.empty(), "nothing follows what is no request");
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view text(reinterpret_cast<const char*>(data), size);
  auto whole = serve(text, text.size());
  check(whole);
  auto cut = serve(text, 7);
  check(cut);
  demand(whole.lines == cut.lines, "a request is the same however its bytes come");
  return 0;
}
