// The first byte chooses the encoding, the rest is the body.
#include <array>
#include <cstdint>
#include <string_view>

#include "libs/base/check.hpp"
#include "libs/net/compression.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr std::size_t kBytesMax = 100'000;
  constexpr std::array<std::string_view, 3> kEncodings = {"gzip", "zstd", "deflate"};
  if (size < 1) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data + 1), size - 1);
  const auto plain = vigia::net::decompress(kEncodings[data[0] % 3], bytes, kBytesMax);
  CHECK(!plain || plain->size() <= kBytesMax);
  return 0;
}
