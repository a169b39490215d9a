// Windows of one series in few bytes, one column a field. Format: docs/formats/rollup.md.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "libs/base/result.hpp"
#include "libs/rollup/part.hpp"
#include "libs/rollup/window.hpp"

namespace vigia::rollup {

/// No record holds more: a day of 5 min windows are 288.
inline constexpr std::size_t kRecordWindowsMax = 512;

/// Every bit of them is kept. REQUIRES: they are of one width, in order, as windows_of makes them;
/// one to kRecordWindowsMax; each ends at a whole multiple of its width (far beyond any date
/// window_end cannot say that).
std::string write_windows(std::span<const Window> windows, TimestampMs width_ms);

/// What write_windows wrote: in order, each with its samples within it. Any bytes may be given:
/// kCorrupt on damage. REQUIRES: width_ms > 0.
Result<std::vector<Window>> read_windows(std::string_view bytes, TimestampMs width_ms);

struct PartOfWindow {
  TimestampMs end_ms = 0;
  std::optional<double> value;  ///< as value_of
};
class RecordReader;

/// Reads one part of the windows of records: what value_of gives of each that read_windows gives,
/// for a third of the work where the part is a field (else all columns are read). Other columns are
/// passed over and those behind it not looked at, so that damage there may stay unseen. Keeps its
/// memory from record to record. Thread contract: one thread at a time.
class PartReader {
 public:
  /// REQUIRES: width_ms > 0.
  PartReader(TimestampMs width_ms, Part part);
  PartReader(PartReader&& other) noexcept;
  PartReader& operator=(PartReader&& other) noexcept;
  ~PartReader();
  /// Puts them behind what is in `parts`. kCorrupt only where read_windows has it as well: then
  /// none is put.
  Result<void> read(std::string_view bytes, std::vector<PartOfWindow>& parts);

 private:
  TimestampMs width_ms_;
  Part part_;
  std::unique_ptr<RecordReader> reader_;
};

}  // namespace vigia::rollup
