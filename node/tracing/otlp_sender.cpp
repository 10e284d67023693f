#include "node/tracing/otlp_sender.hpp"

#include "node/client/proxy.hpp"

#include <curl/curl.h>

namespace troupe::node {

namespace {

/// The answer's body tells nothing that is needed here.
std::size_t ignore(const char*, std::size_t size, std::size_t count, void*) { return size * count; }

/// As the specification of OTLP has it.
bool may_be_repeated(long status) {
  return status == 429 || status == 502 || status == 503 || status == 504;
}

} // namespace

struct otlp_sender::impl {
  std::unique_ptr<CURL, decltype(&curl_easy_cleanup)> curl{curl_easy_init(), &curl_easy_cleanup};
  std::unique_ptr<curl_slist, decltype(&curl_slist_free_all)> fields{nullptr, &curl_slist_free_all};
  std::string endpoint;
  std::string place; ///< The same for people: a query may have a secret.
};

otlp_sender::otlp_sender(std::string endpoint) : impl_(std::make_unique<impl>()) {
  auto& x = *impl_;
  x.endpoint = std::move(endpoint);
  x.place = x.endpoint.substr(0, x.endpoint.find('?'));
  x.fields.reset(curl_slist_append(nullptr, "Content-Type: application/json"));
  curl_slist_append(x.fields.get(), "Expect:"); // No answer before the body.
  auto curl = x.curl.get();
  curl_easy_setopt(curl, CURLOPT_URL, x.endpoint.c_str());
  curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(curl, CURLOPT_HTTPHEADER, x.fields.get());
  curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, ignore);
  curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl, CURLOPT_NOPROXY, client::without_proxy().c_str());
  curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
}

otlp_sender::~otlp_sender() = default;

status otlp_sender::send(const std::string& json, std::chrono::milliseconds limit) {
  auto curl = impl_->curl.get();
  curl_easy_setopt(curl, CURLOPT_POSTFIELDS, json.data());
  curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(json.size()));
  curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, static_cast<long>(limit.count()));
  auto sent = curl_easy_perform(curl);
  if (sent != CURLE_OK)
    return error{ec::overloaded,
                 "cannot send spans to " + impl_->place + ": " + curl_easy_strerror(sent)};
  long code = 0;
  curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &code);
  if (code >= 200 && code < 300)
    return {};
  return error{may_be_repeated(code) ? ec::overloaded : ec::unsupported,
               impl_->place + " refuses spans with status " + std::to_string(code)};
}

} // namespace troupe::node
