// Labels as bytes in rows: name and value by turns, each with its length before it, sorted by name.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "libs/base/result.hpp"
#include "libs/model/labels.hpp"
#include "services/storage/store/label_matcher.hpp"

namespace vigia::storage::store {

std::string encode_labels(const Labels& labels);
/// Views into `bytes`. kCorrupt for bytes that encode_labels did not write.
Result<std::vector<LabelTexts>> decode_labels(std::string_view bytes);
Labels to_labels(const std::vector<LabelTexts>& views);

}  // namespace vigia::storage::store
