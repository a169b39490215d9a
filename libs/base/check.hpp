// CHECK ends the process on a fault of our own. It stays on in release; input from outside never
// reaches one.
#pragma once

#include <string_view>

namespace vigia::internal {
[[noreturn]] void check_failed(std::string_view condition, std::string_view file, int line);
}  // namespace vigia::internal

#define CHECK(condition)                                               \
  do {                                                                 \
    if (!(condition)) [[unlikely]] {                                   \
      ::vigia::internal::check_failed(#condition, __FILE__, __LINE__); \
    }                                                                  \
  } while (false)
