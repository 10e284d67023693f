#pragma once

#include "tests/support/catch.hpp"

#include <arpa/inet.h>
#include <filesystem>
#include <memory>
#include <netinet/in.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <string>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

namespace troupe::tests {

/// A certificate for `localhost` that signs itself, and its key, as files in PEM.
struct certificate {
  std::string cert, key;
};

template <auto Free>
struct freed_by {
  template <class T>
  void operator()(T* x) const {
    Free(x);
  }
};
using key_ptr = std::unique_ptr<EVP_PKEY, freed_by<EVP_PKEY_free>>;
using x509_ptr = std::unique_ptr<X509, freed_by<X509_free>>;

/// Makes one in `directory`; with a passphrase the key is encrypted by it.
inline certificate self_signed(const std::filesystem::path& directory, const std::string& name,
                               const char* passphrase = nullptr) {
  key_ptr key{EVP_EC_gen("P-256")};
  x509_ptr x{X509_new()};
  REQUIRE((key && x));
  X509_set_version(x.get(), 2);
  ASN1_INTEGER_set(X509_get_serialNumber(x.get()), 1);
  X509_gmtime_adj(X509_getm_notBefore(x.get()), -60);
  X509_gmtime_adj(X509_getm_notAfter(x.get()), 3600);
  X509_set_pubkey(x.get(), key.get());
  auto subject = X509_get_subject_name(x.get());
  X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC,
                             reinterpret_cast<const unsigned char*>("localhost"), -1, -1, 0);
  X509_set_issuer_name(x.get(), subject);
  auto names = X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name, "DNS:localhost");
  X509_add_ext(x.get(), names, -1);
  X509_EXTENSION_free(names);
  REQUIRE(X509_sign(x.get(), key.get(), EVP_sha256()) > 0);
  certificate made{(directory / (name + ".crt")).string(), (directory / (name + ".key")).string()};
  using file = std::unique_ptr<std::FILE, freed_by<std::fclose>>;
  REQUIRE(PEM_write_X509(file{std::fopen(made.cert.c_str(), "w")}.get(), x.get()));
  REQUIRE(PEM_write_PrivateKey(file{std::fopen(made.key.c_str(), "w")}.get(), key.get(),
                               passphrase ? EVP_aes_256_cbc() : nullptr, nullptr, 0, nullptr,
                               const_cast<char*>(passphrase)));
  return made;
}

/// A connection by TLS to a server on this machine, whose certificate must be the trusted one.
class tls_client {
public:
  tls_client(std::uint16_t port, const std::string& trusted, int version = TLS1_3_VERSION)
      : context_(SSL_CTX_new(TLS_client_method())) {
    SSL_CTX_load_verify_file(context_.get(), trusted.c_str());
    SSL_CTX_set_verify(context_.get(), SSL_VERIFY_PEER, nullptr);
    SSL_CTX_set_min_proto_version(context_.get(), version);
    SSL_CTX_set_max_proto_version(context_.get(), version);
    SSL_CTX_set_security_level(context_.get(), 0); // Old versions are to be refused by the server.
    fd_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    timeval patience{60, 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(port);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    REQUIRE(::connect(fd_, reinterpret_cast<sockaddr*>(&to), sizeof to) == 0);
    ssl_.reset(SSL_new(context_.get()));
    SSL_set1_host(ssl_.get(), "localhost");
    SSL_set_fd(ssl_.get(), fd_);
    connected_ = SSL_connect(ssl_.get()) == 1;
  }
  ~tls_client() { ::close(fd_); }
  tls_client(const tls_client&) = delete;
  tls_client& operator=(const tls_client&) = delete;

  bool connected() const noexcept { return connected_; }

  bool send(const std::string& raw) {
    return SSL_write(ssl_.get(), raw.data(), static_cast<int>(raw.size())) > 0;
  }
  /// Says that it sends no more.
  void finish() { SSL_shutdown(ssl_.get()); }

  /// Sends all, then reads until the server ends.
  std::string ask(const std::string& raw) {
    std::string got;
    if (!send(raw))
      return got;
    char piece[4096];
    for (int n; (n = SSL_read(ssl_.get(), piece, sizeof piece)) > 0;)
      got.append(piece, static_cast<std::size_t>(n));
    return got;
  }

private:
  std::unique_ptr<SSL_CTX, freed_by<SSL_CTX_free>> context_;
  std::unique_ptr<SSL, freed_by<SSL_free>> ssl_;
  int fd_ = -1;
  bool connected_ = false;
};

} // namespace troupe::tests
