#include "node/client/transport.hpp"

#include "core/duration.hpp"
#include "core/names.hpp"
#include "node/client/proxy.hpp"

#include <algorithm>
#include <curl/curl.h>
#include <exception>

namespace troupe::client {

namespace {

using clock = std::chrono::steady_clock;

struct closing {
  void operator()(CURLM* x) const { curl_multi_cleanup(x); }
  void operator()(CURLU* x) const { curl_url_cleanup(x); }
  void operator()(curl_slist* x) const { curl_slist_free_all(x); }
};
struct easy_closing {
  void operator()(CURL* x) const { curl_easy_cleanup(x); }
};
using easy_ptr = std::unique_ptr<CURL, easy_closing>;
using multi_ptr = std::unique_ptr<CURLM, closing>;
using list_ptr = std::unique_ptr<curl_slist, closing>;

/// libcurl wants to be set up once in a process.
void set_up() {
  static const auto done = curl_global_init(CURL_GLOBAL_DEFAULT);
  if (done != CURLE_OK)
    throw std::bad_alloc{};
}

/// What is known of a request that is on its way.
struct exchange {
  CURL* easy = nullptr;
  const sink* to = nullptr;
  reply got;
  clock::time_point heard = clock::now();
  bool too_large = false, unwanted = false;
  std::exception_ptr thrown;
  char why[CURL_ERROR_SIZE] = "";

  int status() const {
    long code = 0;
    curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &code);
    return static_cast<int>(code);
  }
};

/// False: no more is wanted.
bool take(exchange& x, std::string_view piece) {
  x.heard = clock::now();
  if (x.to && x.status() == 200) {
    x.unwanted = !(*x.to)(piece);
    return !x.unwanted;
  }
  x.too_large = x.got.body.size() + piece.size() > answer_bytes_max;
  if (!x.too_large)
    x.got.body += piece;
  return !x.too_large;
}

/// As libcurl calls it; nothing may be thrown through that.
std::size_t take_piece(char* data, std::size_t, std::size_t size, void* to) {
  auto& x = *static_cast<exchange*>(to);
  try {
    return take(x, {data, size}) ? size : CURL_WRITEFUNC_ERROR;
  } catch (...) {
    x.thrown = std::current_exception();
    return CURL_WRITEFUNC_ERROR;
  }
}

/// The same for lines of the head: an empty one is its end.
std::size_t take_head_line(char* data, std::size_t one, std::size_t size, void* to) {
  auto& x = *static_cast<exchange*>(to);
  auto ends = x.to && x.status() == 200 && std::string_view{data, size} == "\r\n";
  return ends && take_piece(data, one, 0, to) != 0 ? CURL_WRITEFUNC_ERROR : size;
}

list_ptr fields_of(const request& what, const endpoint& at) {
  list_ptr all;
  auto add = [&](const std::string& line) {
    auto longer = curl_slist_append(all.get(), line.c_str());
    if (!longer)
      throw std::bad_alloc{};
    std::ignore = all.release();
    all.reset(longer);
  };
  if (!what.body.empty())
    add("Content-Type: " + what.type);
  add("Expect:"); // Nobody waits for a 100.
  if (!at.token.empty())
    add("Authorization: Bearer " + at.token);
  for (auto& [name, text] : what.fields)
    add(name + ": " + text);
  return all;
}

/// One table of options.
void prepare(exchange& x, const request& what, const endpoint& at, curl_slist* fields) {
  auto set = [easy = x.easy](CURLoption option, auto to) { curl_easy_setopt(easy, option, to); };
  curl_easy_reset(x.easy);
  set(CURLOPT_URL, (at.url + what.target).c_str());
  set(CURLOPT_PROTOCOLS_STR, "http,https");
  set(CURLOPT_CUSTOMREQUEST, what.method.c_str());
  set(CURLOPT_NOSIGNAL, 1L);
  set(CURLOPT_ERRORBUFFER, x.why);
  set(CURLOPT_WRITEFUNCTION, take_piece);
  set(CURLOPT_WRITEDATA, &x);
  set(CURLOPT_HEADERFUNCTION, take_head_line);
  set(CURLOPT_HEADERDATA, &x);
  set(CURLOPT_HTTPHEADER, fields);
  set(CURLOPT_USERAGENT, at.agent.c_str());
  set(CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(connect_time_max.count()));
  set(CURLOPT_TCP_KEEPALIVE, 1L);
  set(CURLOPT_NOPROXY, without_proxy().c_str());
  if (!at.ca_file.empty())
    set(CURLOPT_CAINFO, at.ca_file.c_str());
  if (what.body.empty())
    return;
  set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(what.body.size()));
  set(CURLOPT_POSTFIELDS, what.body.data()); // Not copied: the request outlives the exchange.
}

std::string place_of(const endpoint& at) { return "the node at " + at.url; }

std::string what_to_check(const endpoint& at) {
  if (at.named_by.empty())
    return "`troupe dev` starts a node here; --url or TROUPE_URL names another one";
  return "check " + at.named_by + ", and that the node runs";
}

trouble lost(const endpoint& at, CURLcode code, const char* why) {
  std::string reason = *why ? why : curl_easy_strerror(code);
  switch (code) {
  case CURLE_GOT_NOTHING:
  case CURLE_SEND_ERROR:
  case CURLE_RECV_ERROR:
  case CURLE_PARTIAL_FILE:
    return {fault::unreachable, "the connection to " + place_of(at) + " broke", reason,
            "whether it was done is not known: `troupe jobs list` shows it"};
  case CURLE_UNSUPPORTED_PROTOCOL:
  case CURLE_WEIRD_SERVER_REPLY:
  case CURLE_HTTP2:
    return {fault::strange_answer, "what answers at " + at.url + " is no node", reason};
  case CURLE_PEER_FAILED_VERIFICATION:
    return {fault::unreachable, "the certificate of " + place_of(at) + " is not trusted", reason,
            "name the certificate, or that of who has signed it, by --ca-file or TROUPE_CA_FILE"};
  case CURLE_SSL_CACERT_BADFILE:
    return {fault::unreachable, "the certificates to trust cannot be read from " + at.ca_file,
            reason, "check the file of --ca-file or TROUPE_CA_FILE, which is PEM"};
  default:
    return {fault::unreachable, place_of(at) + " cannot be reached", reason, what_to_check(at)};
  }
}

trouble late(const endpoint& at, std::chrono::milliseconds limit) {
  trouble x{error{ec::timed_out, place_of(at) + " said nothing for " + core::to_text(limit)}};
  x.next = "look whether it is overloaded: " + at.url + "/readyz?verbose";
  return x;
}

/// What is fixed in a URL, or nothing if it is none.
bool is_node_url(const std::string& url) {
  if (!url.starts_with("http://") && !url.starts_with("https://"))
    return false;
  std::unique_ptr<CURLU, closing> parsed{curl_url()};
  if (!parsed || curl_url_set(parsed.get(), CURLUPART_URL, url.c_str(), 0) != CURLUE_OK)
    return false;
  for (auto part : {CURLUPART_USER, CURLUPART_PASSWORD, CURLUPART_QUERY, CURLUPART_FRAGMENT}) {
    char* text = nullptr;
    auto found = curl_url_get(parsed.get(), part, &text, 0);
    curl_free(text);
    if (found == CURLUE_OK)
      return false;
  }
  return true;
}

} // namespace

answer<endpoint> checked(endpoint x) {
  while (x.url.ends_with('/'))
    x.url.pop_back();
  if (!is_node_url(x.url)) {
    auto near = x.url.find("://") == x.url.npos && !x.url.empty()
                    ? "perhaps http://" + x.url + " is meant"
                    : std::string{};
    return trouble{fault::bad_url, core::quoted(x.url) + " is no address of a node", {}, near};
  }
  auto prints = [](unsigned char c) { return c > ' ' && c < 0x7f; };
  if (x.token.size() > token_bytes_max || !std::ranges::all_of(x.token, prints))
    return trouble{fault::bad_usage, "the token is none that can be sent",
                   "it has spaces, line ends or other letters that a key does not have",
                   "give the key as `troupe keys create` has printed it"};
  return x;
}

struct transport::impl {
  endpoint at;
  easy_ptr easy;
  multi_ptr multi;

  explicit impl(endpoint x) : at(std::move(x)) {
    set_up();
    easy.reset(curl_easy_init());
    multi.reset(curl_multi_init());
    if (!easy || !multi)
      throw std::bad_alloc{};
  }

  /// Takes the request back, also when a callback has thrown: nothing of it outlives the call.
  struct on_its_way {
    impl& in;
    ~on_its_way() {
      curl_multi_remove_handle(in.multi.get(), in.easy.get());
      curl_easy_setopt(in.easy.get(), CURLOPT_ERRORBUFFER, nullptr);
    }
  };

  /// Lets libcurl work until the request has ended. Trouble, if it has not come to its end.
  std::optional<trouble> run(exchange& x, std::chrono::milliseconds limit, const idle& waiting) {
    int running = 1;
    auto begun = clock::now();
    while (curl_multi_perform(multi.get(), &running) == CURLM_OK && running > 0) {
      if (clock::now() - (x.to ? x.heard : begun) > limit)
        return late(at, limit);
      if (waiting && !waiting())
        return trouble{fault::interrupted};
      curl_multi_poll(multi.get(), nullptr, 0, static_cast<int>(look_every.count()), nullptr);
    }
    int left = 0;
    auto told = curl_multi_info_read(multi.get(), &left);
    if (x.thrown)
      std::rethrow_exception(x.thrown);
    if (x.too_large)
      return trouble{fault::strange_answer, "the answer of " + place_of(at) + " is too large",
                     "it has more than " + std::to_string(answer_bytes_max) + " bytes"};
    if (x.unwanted || (told && told->data.result == CURLE_OK))
      return {};
    return lost(at, told ? told->data.result : CURLE_RECV_ERROR, x.why);
  }

  answer<reply> perform(const request& what, const sink* to, std::chrono::milliseconds limit,
                        const idle& waiting) {
    exchange x;
    x.easy = easy.get();
    x.to = to;
    auto fields = fields_of(what, at);
    prepare(x, what, at, fields.get());
    on_its_way added{*this};
    if (curl_multi_add_handle(multi.get(), easy.get()) != CURLM_OK)
      return trouble{fault::unreachable, place_of(at) + " cannot be asked"};
    if (auto wrong = run(x, limit, waiting))
      return *wrong;
    x.got.status = x.status();
    char* type = nullptr;
    if (curl_easy_getinfo(easy.get(), CURLINFO_CONTENT_TYPE, &type) == CURLE_OK && type)
      x.got.type = std::string{type}.substr(0, std::string{type}.find(';'));
    curl_header* field = nullptr;
    x.got.replayed =
        curl_easy_header(easy.get(), "Idempotency-Replayed", 0, CURLH_HEADER, -1, &field)
        == CURLHE_OK;
    return std::move(x.got);
  }
};

transport::transport(endpoint at) : impl_(std::make_unique<impl>(std::move(at))) {}
transport::~transport() = default;
transport::transport(transport&&) noexcept = default;
transport& transport::operator=(transport&&) noexcept = default;

const endpoint& transport::at() const noexcept { return impl_->at; }

answer<reply> transport::ask(const request& what, const idle& waiting) {
  return impl_->perform(what, nullptr, answer_time_max + what.wait, waiting);
}

answer<reply> transport::stream(const request& what, const sink& to, const idle& waiting) {
  return impl_->perform(what, &to, silence_max, waiting);
}

} // namespace troupe::client
