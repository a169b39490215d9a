// A snappy block (behind a byte for the pieces): it is read as libsnappy reads it, or refused where
// that one refuses it.
#include <snappy.h>

#include "libs/base/check.hpp"
#include "libs/wire/remote_write/testing/snappy_reading.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string block(data + 1, data + size);
  std::size_t declared = 0;
  constexpr std::size_t kBytesMax = 1U << 20U;
  const bool has_length = snappy::GetUncompressedLength(block.data(), block.size(), &declared);
  if (has_length && declared > kBytesMax) return 0;
  std::string expected;
  const bool is_sound = has_length && snappy::Uncompress(block.data(), block.size(), &expected);
  const auto read = vigia::wire::remote_write::testing::read_block(block, 1 + data[0] * 16);
  CHECK(read.has_value() == is_sound);
  CHECK(!is_sound || *read == expected);
  return 0;
}
