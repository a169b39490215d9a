// Rows of the index as bytes: the labels of a series with its days, and the days of a label value.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "libs/base/result.hpp"
#include "services/storage/store/day_range.hpp"
#include "services/storage/store/label_bytes.hpp"

namespace vigia::storage::store::rocksdb::index {

/// The row of a series: on which days it had samples, and its labels.
std::string encode_series_row(const DayRange& days, std::string_view encoded_labels);
/// kNoDays where the row, of an older version, does not say.
DayRange days_of_row(std::string_view row);
/// The row of a label value: from when to when series that have it had samples. The last day stands
/// first: earlier programs wrote, and read, no more.
std::string encode_value_row(const DayRange& days);
/// From day 0 where the row does not say since when; kAllDays where it says neither.
DayRange days_of_value(std::string_view row);
/// Views into `bytes`, the days of a row passed over. kCorrupt for bytes that neither of the two
/// wrote.
Result<std::vector<LabelTexts>> decode_label_views(std::string_view bytes);

}  // namespace vigia::storage::store::rocksdb::index
