// Any bytes as a record of roll-ups: no crash; and what was read, written again, reads the same.
#include <cstddef>
#include <cstdint>

#include "libs/base/check.hpp"
#include "libs/rollup/window_record.hpp"

namespace {

using vigia::TimestampMs;
using vigia::rollup::Window;

void check_same(const Window& left, const Window& right) {
  CHECK(left.end_ms == right.end_ms && left.count == right.count);
  CHECK(left.first_ms == right.first_ms && left.last_ms == right.last_ms);
  CHECK(left.resets == right.resets && left.stale_ms == right.stale_ms);
  for (const auto field : {&Window::first, &Window::last, &Window::sum, &Window::min, &Window::max,
                           &Window::dropped}) {
    CHECK(vigia::is_same_value(left.*field, right.*field));
  }
}

// Alone each is what it is in the whole.
void check_parts(std::string_view bytes, TimestampMs width_ms, const std::vector<Window>& windows) {
  for (std::size_t i = 0; i < vigia::rollup::kPartNames.size(); ++i) {
    const auto part = static_cast<vigia::rollup::Part>(i);
    std::vector<vigia::rollup::PartOfWindow> parts;
    CHECK(vigia::rollup::PartReader(width_ms, part).read(bytes, parts).has_value());
    CHECK(parts.size() == windows.size());
    for (std::size_t at = 0; at < parts.size(); ++at) {
      const auto value = vigia::rollup::value_of(windows[at], part, width_ms);
      CHECK(parts[at].end_ms == windows[at].end_ms);
      CHECK(parts[at].value.has_value() == value.has_value());
      CHECK(!value.has_value() || vigia::is_same_value(*parts[at].value, *value));
    }
  }
}

void check_record(std::string_view bytes, TimestampMs width_ms) {
  const auto windows = vigia::rollup::read_windows(bytes, width_ms);
  if (!windows.has_value()) {
    std::vector<vigia::rollup::PartOfWindow> parts;  // in part they may be whole
    for (std::size_t i = 0; i < vigia::rollup::kPartNames.size(); ++i) {
      vigia::rollup::PartReader reader(width_ms, static_cast<vigia::rollup::Part>(i));
      (void)reader.read(bytes, parts);
    }
    return;
  }
  check_parts(bytes, width_ms, *windows);
  CHECK(!windows->empty() && windows->size() <= vigia::rollup::kRecordWindowsMax);
  TimestampMs before_ms = INT64_MIN;
  for (const Window& window : *windows) {
    CHECK(window.end_ms > before_ms && window.end_ms % width_ms == 0);
    before_ms = window.end_ms;
    CHECK(window.count > 0 || window.stale_ms.has_value());
    if (window.count == 0) continue;
    CHECK(window.first_ms > window.end_ms - width_ms && window.first_ms <= window.last_ms);
    CHECK(window.last_ms <= window.end_ms);
  }
  const std::string again = vigia::rollup::write_windows(*windows, width_ms);
  const auto read = vigia::rollup::read_windows(again, width_ms);
  CHECK(read.has_value() && read->size() == windows->size());
  for (std::size_t i = 0; i < read->size(); ++i) check_same((*read)[i], (*windows)[i]);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  check_record(bytes, 1);
  check_record(bytes, vigia::rollup::width_ms(vigia::Resolution::kFiveMinutes));
  check_record(bytes, vigia::rollup::width_ms(vigia::Resolution::kDay));
  return 0;
}
