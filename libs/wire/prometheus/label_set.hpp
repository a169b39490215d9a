// Attributes to labels (compatibility specification, "Metric Attributes"; R-PM-14).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "libs/model/verdicts.hpp"
#include "libs/wire/otlp/attributes.hpp"
#include "libs/wire/prometheus/labels_encoding.hpp"

namespace vigia::wire::prometheus {

/// What the long-term store takes of one series: labels, and bytes of all of them together. More
/// has no Prometheus form, so that nothing is acknowledged that cannot be stored.
inline constexpr std::size_t kSeriesLabelsMax = 256;
inline constexpr std::size_t kSeriesLabelBytesMax = 64U << 10U;

/// What a customer may put on one series, its name, `le` and `quantile` not counted. 0: no limit.
struct LabelLimits {
  std::size_t value_bytes = 0;
  std::size_t labels = 0;
};
/// Which of the limits labels break; `why` then names the label, its size and the limit, for the
/// sender. A label's name has the limit of its value.
RejectReason label_fault(const std::vector<LabelPair>& labels, const LabelLimits& limits,
                         std::string& why);
/// Of labels that are within their bytes, together with `shared_count` others.
RejectReason count_fault(const std::vector<LabelPair>& own, std::size_t shared_count,
                         const LabelLimits& limits, std::string& why);

/// Of names and values together.
std::size_t bytes_of(const std::vector<LabelPair>& labels);

/// Whether a series of these labels, the name and one more ("le") keeps those bounds.
bool fits_a_series(const std::vector<LabelPair>& own, const SharedLabels& shared);
/// Of so many own labels that have so many bytes, names and values.
bool fits_a_series(std::size_t own_labels, std::size_t own_bytes, const SharedLabels& shared);
/// Drops labels from the end until they do.
void keep_what_fits(std::vector<LabelPair>& own, const SharedLabels& shared);

/// Whether these labels say that a job of the provider's own made the series.
bool has_reserved_job(const std::vector<LabelPair>& own);

struct AttributeNaming {
  std::string_view prefix = "";                         ///< before each key
  bool (*is_left_out)(std::string_view key) = nullptr;  ///< of the sender's keys
  bool keeps_utf8 = false;                              ///< as label_name has it
};
/// Appends the attributes as labels, each name once and in order of the names: values of different
/// keys that sanitise to one name joined by ';' in byte order of the keys (equal values once), of a
/// key sent twice the last one. A key that sanitises to customer_id is dropped: that label comes
/// from the token alone. Returns how many keys have no label of their own. Throws
/// protozero::exception on damaged bytes.
std::uint32_t append_attribute_labels(std::vector<LabelPair>& out,
                                      const otlp::Attributes& attributes,
                                      const AttributeNaming& naming = {});

}  // namespace vigia::wire::prometheus
