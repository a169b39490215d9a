#include "services/storage/store/rocksdb/index/label_codec.hpp"

#include "libs/base/bytes.hpp"

namespace vigia::storage::store::rocksdb::index {
namespace {

// No label has an empty name, so no labels begin with this.
constexpr char kHasDays = 0;
constexpr std::size_t kDaysBytes = 1 + 2 * sizeof(std::uint32_t);

bool has_days(std::string_view row) { return row.size() >= kDaysBytes && row.front() == kHasDays; }

}  // namespace

std::string encode_labels(const Labels& labels) {
  std::string bytes;
  for (const Label& label : labels) {
    append_sized(bytes, label.name);
    append_sized(bytes, label.value);
  }
  return bytes;
}

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
  std::vector<LabelTexts> views;
  ByteReader reader(bytes);
  while (reader.ok() && !reader.rest().empty()) {
    const std::string_view name = reader.read_sized();
    const std::string_view value = reader.read_sized();
    views.emplace_back(name, value);
  }
  if (!reader.ok()) return fail(ErrorCode::kCorrupt, "cold store: damaged labels in the index");
  return views;
}

Labels to_labels(const std::vector<LabelTexts>& views) {
  std::vector<Label> labels;
  labels.reserve(views.size());
  for (const auto& [name, value] : views) labels.push_back({std::string(name), std::string(value)});
  return Labels::from(std::move(labels));
}

}  // namespace vigia::storage::store::rocksdb::index
