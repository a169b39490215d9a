// Whatever the text: what is taken as OTLP's JSON becomes a request that the walker reads.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "libs/base/check.hpp"
#include "libs/wire/otlp/json.hpp"
#include "libs/wire/otlp/walker.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  for (const auto signal :
       {vigia::Signal::kMetrics, vigia::Signal::kTraces, vigia::Signal::kLogs}) {
    const auto body = vigia::wire::otlp::json_to_protobuf(signal, text);
    if (body) CHECK(vigia::wire::otlp::count_items(signal, *body));
  }
  return 0;
}
