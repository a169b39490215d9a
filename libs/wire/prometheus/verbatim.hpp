// Series of a Prometheus as it wrote them, in the form of an OTLP body (decision 45): the names and
// labels are taken as they stand, nothing is translated. What holds for all series holds here too.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "libs/wire/otlp/fields.hpp"
#include "libs/wire/prometheus/series_builder.hpp"

namespace vigia::wire::prometheus {

/// ResourceMetrics.schema_url of such series. A metric's name is `__name__`, a point's attributes
/// are the other labels, and a point is one value of one series.
inline constexpr std::string_view kVerbatimSchemaUrl = "vigia:prometheus-series/1";

/// Fields of a point that OTLP has none for.
struct VerbatimField {
  /// A prometheus.Histogram, of a point that stands as an exponential one.
  static constexpr otlp::ProtoField kHistogram = otlp::ProtoField::sized(1000);
  /// `exemplars` fields of a prometheus.TimeSeries, of a point without a value.
  static constexpr otlp::ProtoField kExemplars = otlp::ProtoField::sized(1001);
  /// Why the series that it stood in is no good.
  static constexpr otlp::ProtoField kFault = otlp::ProtoField::sized(1002);
};

/// More buckets of both signs together are not taken: a store works on all of them for each value.
inline constexpr std::size_t kVerbatimBucketsMax = 1024;

/// As identify: kInvalid for what is no metric's name, kReserved for a name that a customer may not
/// make, kUntranslatable for one that a store does not take (takes_utf8). `up` and `scrape_*` are
/// judged with their labels.
FamilyType verbatim_type(const otlp::MetricView& metric);
/// Before the type of a metric whose type, help and unit its sender has said at another time, as
/// senders of remote write 1.0 do, today and not tomorrow. So they are passed on to who keeps
/// metadata by metrics, and are no part of what the series' own family is.
inline constexpr std::string_view kSaidType = "said:";
bool is_said(const otlp::MetricView& metric);
/// Said at another time or by the series itself.
FamilyType said_type(const otlp::MetricView& metric);
MetricIdentity identify_verbatim(const otlp::MetricView& metric, const TranslatorSettings& settings,
                                 std::string& why);

/// Whether names may have other characters than letters, digits and `_`: where every translation
/// keeps UTF-8. A Prometheus before 3 leaves such series out without a word.
bool takes_utf8(const TranslatorSettings& settings);

/// What a series' family is called: of classic histograms and summaries without the suffix.
std::string family_of(const MetricIdentity& identity);

struct VerbatimPoint {
  std::string_view histogram;
  std::string_view exemplars;
  std::string_view fault;
};
/// Views the point. Throws protozero::exception.
VerbatimPoint read_verbatim(std::string_view point);

/// How many exemplars a point without a value holds.
std::uint64_t count_exemplars(std::string_view point);

/// As shape_fault. kInvalid also for a histogram that Prometheus refuses and for a point of a bad
/// series, kUntranslatable for one of too many buckets. `buckets` of a histogram are counted.
RejectReason verbatim_fault(otlp::MetricKind type, const otlp::PointHeader& point,
                            std::string_view bytes, std::string& why, std::uint32_t& buckets);

/// As build_series, of one series. kForeign for a label that names another customer, kReserved for
/// names beginning with `__`, for a reserved job, and for `up` and `scrape_*` of a job that may be
/// the provider's, or of none; kInvalid for a label that stands twice, kUntranslatable for a name
/// that a store does not take. A label that a rule writes over (is_rule_label) gets `key_` before
/// it, as of OTLP.
PointSeries build_verbatim(const MetricIdentity& identity, const otlp::PointHeader& point,
                           const SeriesContext& context);

}  // namespace vigia::wire::prometheus
