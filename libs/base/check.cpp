#include "libs/base/check.hpp"

#include <cstdio>
#include <cstdlib>

namespace vigia::internal {

void check_failed(std::string_view condition, std::string_view file, int line) {
  std::fprintf(stderr, "vigia: CHECK failed at %.*s:%d: %.*s\n", static_cast<int>(file.size()),
               file.data(), line, static_cast<int>(condition.size()), condition.data());
  std::abort();
}

}  // namespace vigia::internal
