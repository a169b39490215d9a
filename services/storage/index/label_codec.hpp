// Labels as bytes in index rows: name and value by turns, each with its length before it, sorted by
// name.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "libs/base/result.hpp"
#include "libs/model/labels.hpp"

namespace vigia::storage {

using LabelView = std::pair<std::string_view, std::string_view>;

std::string encode_labels(const Labels& labels);
/// Views into `bytes`. kCorrupt for bytes that encode_labels did not write.
Result<std::vector<LabelView>> decode_label_views(std::string_view bytes);
Labels to_labels(const std::vector<LabelView>& views);

}  // namespace vigia::storage
