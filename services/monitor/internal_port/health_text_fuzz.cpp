// What a node answers when it is asked for its health: any bytes. No crash, and what is written of
// it is read as the same series again, whole.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "libs/base/check.hpp"
#include "services/monitor/internal_port/health_text.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using vigia::monitor::internal_port::read_health_text;
  const auto health = read_health_text(std::string_view(reinterpret_cast<const char*>(data), size));
  const std::string written = vigia::monitor::internal_port::health_text(health.series);
  const auto again = read_health_text(written);
  CHECK(vigia::monitor::internal_port::health_text(again.series) == written);
  CHECK(again.lines_read <= vigia::monitor::live::kAgentSeries);
  CHECK(again.lines_malformed + again.lines_unknown + again.lines_repeated == 0);
  CHECK(health.lines_read - health.lines_unknown - health.lines_repeated == again.lines_read);
  return 0;
}
