#include "libs/wire/prometheus/series_builder.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "libs/model/labels.hpp"
#include "libs/model/sample.hpp"
#include "libs/wire/otlp/fields.hpp"
#include "libs/wire/otlp/items.hpp"
#include "libs/wire/otlp/utf8.hpp"
#include "libs/wire/prometheus/label_set.hpp"
#include "libs/wire/prometheus/names.hpp"
#include "libs/wire/prometheus/native_histogram.hpp"

namespace vigia::wire::prometheus {
namespace {

using otlp::MetricKind;
using otlp::Temporality;

// Series of one point; each bound or quantile is one.
constexpr std::size_t kBucketsMax = 10'000;
// All series of one point: each bucket repeats the labels, own and the resource's.
constexpr std::size_t kPointBytesMax = 8U << 20U;
constexpr std::size_t kNameBytesMax = 2048;

RejectReason type_fault(const otlp::MetricView& metric) {
  switch (metric.type) {
    case MetricKind::kGauge:
    case MetricKind::kSummary:
      return RejectReason::kNone;
    case MetricKind::kNone:
      return RejectReason::kUntranslatable;
    default:
      return metric.temporality == Temporality::kCumulative ? RejectReason::kNone
                                                            : RejectReason::kTemporality;
  }
}

std::string full_name(const otlp::MetricView& metric, FamilyType type, Strategy strategy,
                      bool ratio_suffix) {
  return metric_name({.name = metric.name,
                      .unit = metric.unit,
                      .is_counter = type == FamilyType::kCounter,
                      .is_gauge = metric.type == MetricKind::kGauge,
                      .ratio_suffix = ratio_suffix,
                      .strategy = strategy});
}

/// As it stands, and as who can read no UTF-8 is shown it.
bool is_reserved_in_any_form(const std::string& name, Strategy strategy, bool is_agent) {
  if (is_reserved_name(name, is_agent)) return true;
  return keeps_utf8(strategy) &&
         is_reserved_name(
             metric_name(
                 {.name = name, .unit = "", .strategy = Strategy::kUnderscoresWithoutSuffixes}),
             is_agent);
}

/// Whether one of the strategies that hold here makes a name of the provider's.
bool is_reserved(const otlp::MetricView& metric, const MetricIdentity& identity, Strategy own,
                 bool is_agent, const TranslatorSettings& settings) {
  if (is_reserved_in_any_form(identity.name, own, is_agent)) return true;
  if (is_agent) return false;
  for (std::size_t i = 0; i < kStrategies; ++i) {
    const auto other = static_cast<Strategy>(i);
    if (other == own || (settings.strategies & (1U << i)) == 0) continue;
    if (is_reserved_in_any_form(full_name(metric, identity.type, other, settings.ratio_suffix),
                                other, is_agent))
      return true;
  }
  return false;
}

std::uint32_t append_scope_labels(std::vector<LabelPair>& labels, const otlp::ScopeView& scope,
                                  bool keeps_utf8) {
  otlp::FieldReader reader(scope.bytes);
  while (reader.next()) {
    if (reader.tag_and_type() == otlp::ScopeField::kName.tag) {
      labels.emplace_back("otel_scope_name", reader.bytes());
    } else if (reader.tag_and_type() == otlp::ScopeField::kVersion.tag) {
      labels.emplace_back("otel_scope_version", reader.bytes());
    } else {
      reader.skip();
    }
  }
  labels.emplace_back("otel_scope_schema_url", scope.schema_url);
  std::vector<LabelPair> attributes;
  const std::uint32_t collisions =
      append_attribute_labels(attributes, {scope.bytes, otlp::ScopeField::kAttributes.number},
                              {.prefix = "otel_scope_", .keeps_utf8 = keeps_utf8});
  // What the scope itself has no attribute of it may say (compatibility specification).
  std::erase_if(attributes, [](const LabelPair& label) {
    return label.first == "otel_scope_name" || label.first == "otel_scope_version" ||
           label.first == "otel_scope_schema_url";
  });
  std::move(attributes.begin(), attributes.end(), std::back_inserter(labels));
  return collisions;
}

/// About how many series the point has.
std::size_t series_of(MetricKind type, const otlp::PointHeader& point) {
  if (type == MetricKind::kHistogram) {
    return static_cast<const otlp::HistogramPoint&>(point).bounds.size() + 3;
  }
  if (type == MetricKind::kSummary) {
    return static_cast<const otlp::SummaryPoint&>(point).quantiles.size() + 2;
  }
  return 1;
}

/// What the labels of a point have against them, its name and its scope's and resource's included.
RejectReason labels_fault(const std::vector<LabelPair>& own, const ScopeLabels& scope,
                          const std::string& name, std::size_t series, const SeriesContext& context,
                          std::string& why) {
  const SharedLabels& shared = context.shared;
  RejectReason fault = label_fault(own, context.limits, why);
  if (fault == RejectReason::kNone)
    fault = count_fault(own, shared.labels.size() + scope.given, context.limits, why);
  if (fault != RejectReason::kNone) return fault;
  const std::size_t own_bytes = scope.bytes + bytes_of(own);
  if (!fits_a_series(scope.labels.size() + own.size(), own_bytes, shared) ||
      name.size() > kNameBytesMax)
    return RejectReason::kUntranslatable;
  const std::size_t bytes = own_bytes + name.size() + shared.bytes.size();
  if (series > 1 && series * bytes > kPointBytesMax) {
    why = fmt::format("one point of {} series with {} bytes of labels each, {} bytes may be",
                      series, bytes, kPointBytesMax);
    return RejectReason::kExpandedBytes;
  }
  return has_reserved_job(own) ? RejectReason::kReserved : RejectReason::kNone;
}

/// Collects the forms of one point.
class SeriesList {
 public:
  SeriesList(std::vector<LabelPair> own, const ScopeLabels& scope, const SharedLabels& shared)
      : labels_(scope.labels), shared_(shared) {
    std::move(own.begin(), own.end(), std::back_inserter(labels_));
  }

  void add(std::string name) { add_labelled(std::move(name), "", ""); }
  /// A label of our own wins over the sender's of that name.
  void add_labelled(std::string name, std::string_view label, std::string value) {
    std::vector<LabelPair> own;
    own.reserve(labels_.size() + 2);
    own.emplace_back(kNameLabel, std::move(name));
    if (!label.empty()) own.emplace_back(label, std::move(value));
    own.insert(own.end(), labels_.begin(), labels_.end());
    std::string& form = forms_.emplace_back();
    append_own_labels(form, own, shared_);
  }
  std::vector<std::string> take() { return std::move(forms_); }

 private:
  std::vector<LabelPair> labels_;
  const SharedLabels& shared_;
  std::vector<std::string> forms_;
};

void add_histogram(SeriesList& list, const std::string& name, const otlp::HistogramPoint& point) {
  for (const double bound : point.bounds) {
    if (is_last_bound(bound)) continue;
    list.add_labelled(name + "_bucket", "le", number_text(bound));
  }
  list.add_labelled(name + "_bucket", "le", "+Inf");
  if (point.has_sum || point.is_stale()) list.add(name + "_sum");
  list.add(name + "_count");
}

void add_summary(SeriesList& list, const std::string& name, const otlp::SummaryPoint& point) {
  for (const otlp::Quantile& quantile : point.quantiles) {
    list.add_labelled(name, "quantile", number_text(quantile.quantile));
  }
  list.add(name + "_sum");
  list.add(name + "_count");
}

RejectReason histogram_fault(const otlp::HistogramPoint& point) {
  const auto& bounds = point.bounds;
  if (bounds.size() > kBucketsMax) return RejectReason::kUntranslatable;
  if (!bounds.empty() && std::isnan(bounds.front())) return RejectReason::kInvalid;
  const auto not_ascending = [](double left, double right) { return !(left < right); };
  if (std::adjacent_find(bounds.begin(), bounds.end(), not_ascending) != bounds.end()) {
    return RejectReason::kInvalid;
  }
  const bool has_no_buckets = point.bucket_counts.empty();
  if (!has_no_buckets && point.bucket_counts.size() != bounds.size() + 1) {
    return RejectReason::kInvalid;
  }
  // A stale point has no counts and still ends the series of each of its bounds.
  if (has_no_buckets && !bounds.empty() && !point.is_stale()) return RejectReason::kInvalid;
  return RejectReason::kNone;
}

RejectReason summary_fault(const otlp::SummaryPoint& point, std::string& why) {
  if (point.quantiles.size() > kBucketsMax) return RejectReason::kUntranslatable;
  std::vector<double> sorted;
  for (const auto& quantile : point.quantiles) {
    // A part of all (opentelemetry-proto, SummaryDataPoint.ValueAtQuantile).
    if (!(quantile.quantile >= 0 && quantile.quantile <= 1)) {
      why = fmt::format("a summary's quantile is {}, from 0 to 1 it may be",
                        number_text(quantile.quantile));
      return RejectReason::kInvalid;
    }
    sorted.push_back(quantile.quantile);
  }
  std::sort(sorted.begin(), sorted.end());
  const auto twice = std::adjacent_find(sorted.begin(), sorted.end());
  if (twice == sorted.end()) return RejectReason::kNone;
  why = fmt::format("quantile {} of a summary stands twice", number_text(*twice));
  return RejectReason::kInvalid;
}

}  // namespace

bool is_last_bound(double bound) { return std::isinf(bound) && bound > 0; }

FamilyType family_type(const otlp::MetricView& metric) {
  switch (metric.type) {
    case MetricKind::kGauge:
      // Metadata that the Prometheus receiver writes for what came from an untyped family or an
      // info (R-PM-5).
      if (metric.prometheus_type == "unknown") return FamilyType::kUnknown;
      return FamilyType::kGauge;
    case MetricKind::kSum:
      if (metric.is_monotonic) return FamilyType::kCounter;
      if (metric.prometheus_type == "info") return FamilyType::kInfo;
      if (metric.prometheus_type == "stateset") return FamilyType::kStateset;
      return FamilyType::kGauge;
    case MetricKind::kHistogram:
    case MetricKind::kExponentialHistogram:
      return FamilyType::kHistogram;
    case MetricKind::kSummary:
      return FamilyType::kSummary;
    case MetricKind::kNone:
      break;
  }
  return FamilyType::kUnknown;
}

MetricIdentity identify(const otlp::MetricView& metric, bool is_agent,
                        const TranslatorSettings& settings) {
  MetricIdentity identity;
  identity.type = family_type(metric);
  identity.fault = type_fault(metric);
  if (identity.fault != RejectReason::kNone) return identity;
  if (!otlp::is_utf8(metric.name) || !otlp::is_utf8(metric.unit) ||
      !otlp::is_utf8(metric.description)) {
    identity.fault = RejectReason::kInvalid;
    return identity;
  }
  const Strategy strategy = strategy_of(settings, is_agent);
  identity.name = full_name(metric, identity.type, strategy, settings.ratio_suffix);
  if (identity.name.empty())
    identity.fault = RejectReason::kUntranslatable;
  else if (is_reserved(metric, identity, strategy, is_agent, settings))
    identity.fault = RejectReason::kReserved;
  return identity;
}

RejectReason composite_fault(MetricKind type, const otlp::PointHeader& point, std::string& why) {
  switch (type) {
    case MetricKind::kHistogram:
      return histogram_fault(static_cast<const otlp::HistogramPoint&>(point));
    case MetricKind::kExponentialHistogram:
      if (point.is_stale()) return RejectReason::kNone;
      return native_fault(static_cast<const otlp::ExponentialPoint&>(point), why);
    case MetricKind::kSummary:
      return summary_fault(static_cast<const otlp::SummaryPoint&>(point), why);
    default:
      return RejectReason::kNone;
  }
}

ScopeLabels read_scope(const otlp::ScopeView& scope, const SeriesContext& context) {
  ScopeLabels read;
  if (!otlp::is_valid_scope(scope.bytes) || !otlp::is_utf8(scope.schema_url)) {
    read.fault = RejectReason::kInvalid;
    return read;
  }
  if (!context.settings.scope_labels) return read;
  read.collisions = append_scope_labels(
      read.labels, scope, keeps_utf8(strategy_of(context.settings, context.is_agent)));
  read.bytes = bytes_of(read.labels);
  read.given = static_cast<std::size_t>(
      std::count_if(read.labels.begin(), read.labels.end(),
                    [](const LabelPair& label) { return !label.second.empty(); }));
  read.fault = label_fault(read.labels, context.limits, read.why);
  if (read.fault == RejectReason::kNone)
    read.fault = count_fault(read.labels, context.shared.labels.size(), context.limits, read.why);
  if (read.fault == RejectReason::kNone &&
      !fits_a_series(read.labels.size(), read.bytes, context.shared))
    read.fault = RejectReason::kUntranslatable;
  return read;
}

PointSize least_size(MetricKind type, const otlp::PointHeader& point, const ScopeLabels& scope,
                     const SharedLabels& shared) {
  const std::size_t series = series_of(type, point);
  // What frames an attribute in OTLP is rarely more than what it says.
  const std::size_t own = point.attributes.bytes.size() / 2;
  return {series, series * (scope.bytes + own + shared.bytes.size())};
}

PointSeries build_series(const MetricIdentity& identity, MetricKind type,
                         const otlp::PointHeader& point, const ScopeLabels& scope,
                         const SeriesContext& context) {
  PointSeries series;
  series.fault = scope.fault;
  series.why = scope.why;
  if (series.fault == RejectReason::kNone && !otlp::are_valid(point.attributes))
    series.fault = RejectReason::kInvalid;
  if (series.fault != RejectReason::kNone) return series;
  std::vector<LabelPair> own;
  series.collisions =
      scope.collisions +
      append_attribute_labels(
          own, point.attributes,
          {.keeps_utf8 = keeps_utf8(strategy_of(context.settings, context.is_agent))});
  series.fault =
      labels_fault(own, scope, identity.name, series_of(type, point), context, series.why);
  if (series.fault != RejectReason::kNone) return series;
  SeriesList list(std::move(own), scope, context.shared);
  if (type == MetricKind::kHistogram) {
    add_histogram(list, identity.name, static_cast<const otlp::HistogramPoint&>(point));
  } else if (type == MetricKind::kSummary) {
    add_summary(list, identity.name, static_cast<const otlp::SummaryPoint&>(point));
  } else {
    list.add(identity.name);
  }
  series.forms = list.take();
  return series;
}

}  // namespace vigia::wire::prometheus
