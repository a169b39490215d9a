#include "services/storage/store/rocksdb/index/label_codec.hpp"

#include "libs/base/bytes.hpp"

namespace vigia::storage::store::rocksdb::index {
namespace {

// No label has an empty name, so no labels begin with this.
constexpr char kHasDays = 0;
constexpr std::size_t kDaysBytes = 1 + 2 * sizeof(std::uint32_t);

bool has_days(std::string_view row) { return row.size() >= kDaysBytes && row.front() == kHasDays; }

}  // namespace

std::string encode_series_row(const DayRange& days, std::string_view encoded_labels) {
  std::string row(1, kHasDays);
  append_u32(row, days.first);
  append_u32(row, days.last);
  return row.append(encoded_labels);
}

DayRange days_of_row(std::string_view row) {
  if (!has_days(row)) return kNoDays;
  ByteReader reader(row.substr(1));
  DayRange days;
  days.first = reader.read_u32();
  days.last = reader.read_u32();
  return days;
}

std::string encode_value_row(const DayRange& days) {
  std::string row;
  append_u32(row, days.last);
  append_u32(row, days.first);
  return row;
}

DayRange days_of_value(std::string_view row) {
  ByteReader reader(row);
  DayRange days;
  days.last = reader.read_u32();
  if (!reader.ok()) return kAllDays;
  days.first = reader.read_u32();
  if (!reader.ok()) days.first = 0;
  return days;
}

Result<std::vector<LabelTexts>> decode_label_views(std::string_view bytes) {
  if (has_days(bytes)) bytes.remove_prefix(kDaysBytes);
  return decode_labels(bytes);
}

}  // namespace vigia::storage::store::rocksdb::index
