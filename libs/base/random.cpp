#include "libs/base/random.hpp"

#include <sodium.h>

#include "libs/base/check.hpp"

namespace vigia {

// sodium_init may be called any number of times, from any thread; the first one opens the source.
std::string random_bytes(std::size_t bytes) {
  CHECK(sodium_init() >= 0);
  std::string out(bytes, '\0');
  randombytes_buf(out.data(), out.size());
  return out;
}

std::uint64_t random_u64() {
  CHECK(sodium_init() >= 0);
  std::uint64_t value = 0;
  randombytes_buf(&value, sizeof value);
  return value;
}

std::uint32_t random_below(std::uint32_t bound) {
  CHECK(bound > 0);
  CHECK(sodium_init() >= 0);
  return randombytes_uniform(bound);
}

}  // namespace vigia
