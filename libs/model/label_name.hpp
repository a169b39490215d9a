// Names of metrics and labels: since Prometheus 3 any text, before it letters and digits alone.
#pragma once

#include <string>
#include <string_view>

namespace vigia {

/// UTF-8 that is not empty. Without U+0000, which Prometheus 3 takes and stores here end names by.
bool is_name(std::string_view text);

/// Letters, digits and "_", no digit first: what PromQL reads without quotes, and all that
/// Prometheus 2 knows.
bool is_classic_label_name(std::string_view text);
/// The same, colons too.
bool is_classic_metric_name(std::string_view text);

/// The name that a path of Prometheus' interfaces says: behind "U__" a "__" is "_", and "_2e_" the
/// character of that hexadecimal number. What does not begin so, and what is no such text, is the
/// name itself.
std::string unescaped_name(std::string_view text);

}  // namespace vigia
