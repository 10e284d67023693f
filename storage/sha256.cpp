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

std::string to_hex(const sha256_digest& digest) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string text;
  for (auto byte : digest) {
    text += digits[byte >> 4];
    text += digits[byte & 15];
  }
  return text;
}

} // namespace troupe::storage
