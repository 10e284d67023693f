#include "node/http/tls_files.hpp"

#include <boost/asio/ssl/context.hpp>

namespace troupe::http {

namespace {

namespace ssl = boost::asio::ssl;

problem unusable(const char* setting, const std::string& file,
                 const boost::system::error_code& code) {
  return {"bad_value", setting, "cannot use " + file + ": " + code.message()};
}

} // namespace

std::optional<problem> load_tls_files(ssl::context& to, const std::string& cert,
                                      const std::string& key) {
  boost::system::error_code code;
  to.use_certificate_chain_file(cert, code);
  if (code)
    return unusable("/http/tls/cert", cert, code);
  // A key with a passphrase is refused: nobody is there to be asked.
  to.set_password_callback([](std::size_t, auto) { return std::string{}; }, code);
  to.use_private_key_file(key, ssl::context::pem, code);
  if (code)
    return unusable("/http/tls/key", key, code);
  return {};
}

std::optional<problem> check_tls_files(const std::string& cert, const std::string& key) {
  if (cert.empty() && key.empty())
    return {};
  ssl::context none{ssl::context::tls_server};
  return load_tls_files(none, cert, key);
}

} // namespace troupe::http
