// Whatever the bytes: the block that is written is read back as they were, by the LZ4 library.
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include <lz4.h>

#include "libs/base/check.hpp"
#include "libs/pipeline/lz4_block.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view plain(reinterpret_cast<const char*>(data), size);
  const auto room = std::make_unique<char[]>(vigia::pipeline::lz4_room(size));
  const std::size_t bytes = vigia::pipeline::pack_lz4(plain, room.get());
  CHECK(bytes <= vigia::pipeline::lz4_room(size));
  std::vector<char> read(size + 1);
  const int found = LZ4_decompress_safe(room.get(), read.data(), static_cast<int>(bytes),
                                        static_cast<int>(read.size()));
  CHECK(found >= 0 && std::string_view(read.data(), static_cast<std::size_t>(found)) == plain);
  return 0;
}
