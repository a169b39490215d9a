// In which order Prometheus gives series.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace vigia::router::cache {

/// Names and values, decoded, in the order in which they stand.
using DecodedLabels = std::vector<std::pair<std::string, std::string>>;

/// {"__name__":"up",…} without white space, as Prometheus writes it. Nothing on anything else.
std::optional<DecodedLabels> decode_labels(std::string_view json);

/// Less than 0 where `left` stands before `right` in a range query's answer: label by label, name
/// before value, byte by byte; of two that begin alike the shorter one is first.
int compare_labels(const DecodedLabels& left, const DecodedLabels& right);

}  // namespace vigia::router::cache
