#include "graph_json/base64.hpp"

#include <openssl/evp.h>

namespace troupe::graph_json {

std::string base64(core::byte_view data) {
  std::string text((data.size() + 2) / 3 * 4 + 1, '\0'); // And the zero that it ends with.
  auto size = ::EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()), data.data(),
                                static_cast<int>(data.size()));
  text.resize(static_cast<std::size_t>(size));
  return text;
}

std::optional<core::bytes> parse_base64(std::string_view text) {
  if (text.size() % 4 != 0)
    return std::nullopt;
  core::bytes data(text.size() / 4 * 3);
  auto size = ::EVP_DecodeBlock(data.data(), reinterpret_cast<const unsigned char*>(text.data()),
                                static_cast<int>(text.size()));
  if (size != static_cast<int>(data.size()))
    return std::nullopt;
  data.erase(data.end() - (text.ends_with("==") ? 2 : text.ends_with('=') ? 1 : 0), data.end());
  if (base64(data) != text)
    return std::nullopt;
  return data;
}

} // namespace troupe::graph_json
