// Attributes to labels (compatibility specification, "Metric Attributes"; R-PM-14).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "libs/wire/otlp/attributes.hpp"
#include "libs/wire/prometheus/labels_encoding.hpp"

namespace vigia::wire::prometheus {

/// Appends the attributes as labels, each name once: keys in byte order, values of different keys
/// that sanitise to one name joined by ';' (equal values once), names with `prefix` before them.
/// A key that sanitises to customer_id is dropped: that label comes from the token alone. Throws
/// protozero::exception on damaged bytes.
void append_attribute_labels(std::vector<LabelPair>& out, const otlp::Attributes& attributes,
                             std::string_view prefix = "");

}  // namespace vigia::wire::prometheus
