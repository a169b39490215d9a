// Any bytes as the questions of one reflection stream, each behind its length in a byte.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "libs/base/check.hpp"
#include "services/collector/receivers/grpc_reflection.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr std::size_t kAnswerBytesMax = 64U << 10U;
  std::string_view bytes(reinterpret_cast<const char*>(data), size);
  vigia::collector::receivers::ReflectionTalk talk;
  while (!bytes.empty()) {
    const auto length = static_cast<unsigned char>(bytes.front());
    bytes.remove_prefix(1);
    const auto answer = talk.answer(bytes.substr(0, length));
    if (answer) {
      CHECK(answer->size() <= kAnswerBytesMax);
    }
    bytes.remove_prefix(std::min<std::size_t>(length, bytes.size()));
  }
  return 0;
}
