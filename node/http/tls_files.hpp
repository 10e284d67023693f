#pragma once

#include "troupe/problem.hpp"

#include <optional>
#include <string>

namespace boost::asio::ssl {
class context;
}

/// The files of TLS: a certificate, with the chain behind it, and its private key, both PEM.
namespace troupe::http {

/// Loads both into `to`. Nothing, or what is wrong: `bad_value` at `/http/tls/cert` or
/// `/http/tls/key`. A key with a passphrase is refused. Blocks on the disk.
std::optional<problem> load_tls_files(boost::asio::ssl::context& to, const std::string& cert,
                                      const std::string& key);

/// The same only to look whether they would do. Nothing also if none is named.
std::optional<problem> check_tls_files(const std::string& cert, const std::string& key);

} // namespace troupe::http
