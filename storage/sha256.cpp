#include "storage/sha256.hpp"

#include <cassert>
#include <openssl/evp.h>

namespace troupe::storage {

sha256_digest sha256(core::byte_view data) {
  sha256_digest digest;
  unsigned size = 0;
  [[maybe_unused]] int done =
      EVP_Digest(data.data(), data.size(), digest.data(), &size, EVP_sha256(), nullptr);
  assert(done == 1 && size == digest.size());
  return digest;
}

sha256_stream::sha256_stream() : context_(EVP_MD_CTX_new()) {
  [[maybe_unused]] int done =
      EVP_DigestInit_ex(static_cast<EVP_MD_CTX*>(context_), EVP_sha256(), nullptr);
  assert(done == 1);
}

sha256_stream::~sha256_stream() { EVP_MD_CTX_free(static_cast<EVP_MD_CTX*>(context_)); }

void sha256_stream::add(core::byte_view piece) {
  [[maybe_unused]] int done =
      EVP_DigestUpdate(static_cast<EVP_MD_CTX*>(context_), piece.data(), piece.size());
  assert(done == 1);
}

sha256_digest sha256_stream::end() {
  sha256_digest digest;
  unsigned size = 0;
  [[maybe_unused]] int done =
      EVP_DigestFinal_ex(static_cast<EVP_MD_CTX*>(context_), digest.data(), &size);
  assert(done == 1 && size == digest.size());
  return digest;
}

std::string to_hex(const sha256_digest& digest) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string text;
  for (auto byte : digest) {
    text += digits[byte >> 4];
    text += digits[byte & 15];
  }
  return text;
}

std::optional<sha256_digest> sha256_from_hex(std::string_view text) {
  constexpr std::string_view digits = "0123456789abcdef";
  sha256_digest digest;
  if (text.size() != 2 * digest.size())
    return std::nullopt;
  for (std::size_t i = 0; i < digest.size(); ++i) {
    auto high = digits.find(text[2 * i]), low = digits.find(text[2 * i + 1]);
    if (high == digits.npos || low == digits.npos)
      return std::nullopt;
    digest[i] = static_cast<std::uint8_t>(high << 4 | low);
  }
  return digest;
}

} // namespace troupe::storage
