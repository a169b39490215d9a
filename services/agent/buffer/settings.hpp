// What the configuration says of the buffer.
#pragma once

#include <cstdint>
#include <string>

#include "libs/base/duration.hpp"

namespace vigia::agent::buffer {

struct BufferSettings {
  std::string directory = "/var/lib/vigia-agent";
  std::uint64_t bytes_max = 512ULL << 20U;
  Duration age_max = std::chrono::hours(24);
};

}  // namespace vigia::agent::buffer
