// From a data point's identity to the series that it has become: names, labels, their encoded
// forms.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "libs/model/verdicts.hpp"
#include "libs/wire/otlp/points.hpp"
#include "libs/wire/otlp/walker.hpp"
#include "libs/wire/prometheus/label_set.hpp"
#include "libs/wire/prometheus/resource_labels.hpp"

namespace vigia::wire::prometheus {

/// Type of a metric family, numbered as prometheus.MetricMetadata.MetricType.
enum class FamilyType : std::uint8_t {
  kUnknown = 0,
  kCounter = 1,
  kGauge = 2,
  kHistogram = 3,
  kGaugeHistogram = 4,
  kSummary = 5,
  kInfo = 6,
  kStateset = 7,
};

/// By what OTLP says of it, and what the Prometheus receiver has written beside.
FamilyType family_type(const otlp::MetricView& metric);

/// Translated name and type of a metric. Fault kUntranslatable for no or an unknown type or a name
/// of which nothing stays, kTemporality for what is not cumulative, kInvalid for bad UTF-8,
/// kReserved for a reserved name.
struct MetricIdentity {
  std::string name;
  FamilyType type = FamilyType::kUnknown;
  RejectReason fault = RejectReason::kNone;
};
MetricIdentity identify(const otlp::MetricView& metric, bool is_agent,
                        const TranslatorSettings& settings);

/// shape_fault of what is more than one number, and has a time.
RejectReason composite_fault(otlp::MetricKind type, const otlp::PointHeader& point,
                             std::string& why);

/// What the point's shape says against it, whatever its identity: kUntranslatable for time stamp 0
/// or a scale below -4, kInvalid for a value that is missing, buckets that do not fit the bounds, a
/// count that does not fit an exponential histogram's buckets, quantiles that are none, and bounds
/// or quantiles that would give one series two values. `why` may then say more.
inline RejectReason shape_fault(otlp::MetricKind type, const otlp::PointHeader& point,
                                std::string& why) {
  if (point.time_ns == 0) return RejectReason::kUntranslatable;
  // Nearly all points are numbers: these few lines stand where they are called.
  if (type != otlp::MetricKind::kGauge && type != otlp::MetricKind::kSum) {
    return composite_fault(type, point, why);
  }
  const auto& number = static_cast<const otlp::NumberPoint&>(point);
  return number.has_value || point.is_stale() ? RejectReason::kNone : RejectReason::kInvalid;
}

/// A bound that senders add though it goes without saying: its bucket is that of the count.
bool is_last_bound(double bound);

/// Series of one point, in the order in which their values are given: a number has one; a histogram
/// its buckets (of is_last_bound none), +Inf, _sum (where it has one), _count; a summary its
/// quantiles, _sum, _count; an exponential histogram one.
struct PointSeries {
  std::vector<std::string> forms;  ///< own-labels forms (labels_encoding.hpp)
  RejectReason fault = RejectReason::kNone;
  std::string why;               ///< of a limit: which label, how much, how much may be; else ""
  std::uint32_t collisions = 0;  ///< keys joined to another's label, of point and scope
};
struct SeriesContext {
  const SharedLabels& shared;  ///< of the resource
  const TranslatorSettings& settings;
  LabelLimits limits;
  bool is_agent = false;
};

/// What the points of one scope have in common. Read once for all of them: a scope may have
/// thousands of attributes and tens of thousands of points.
struct ScopeLabels {
  std::vector<LabelPair> labels;  ///< in the order of their making; none without `scope_labels`
  std::size_t bytes = 0;          ///< of names and values
  std::size_t given = 0;          ///< labels that have a value
  std::uint32_t collisions = 0;
  RejectReason fault = RejectReason::kNone;  ///< of every point in it
  std::string why;
};
/// Throws protozero::exception on damaged bytes. kInvalid for bad UTF-8 or depth; kLabelValueBytes,
/// kLabelsPerSeries and kUntranslatable where its labels with the resource's alone are too much.
ScopeLabels read_scope(const otlp::ScopeView& scope, const SeriesContext& context);

/// Series that a point becomes, about; and at least so many bytes of labels they have together,
/// the resource's included. Known before a label is made.
struct PointSize {
  std::size_t series = 0;
  std::size_t label_bytes = 0;
};
PointSize least_size(otlp::MetricKind type, const otlp::PointHeader& point,
                     const ScopeLabels& scope, const SharedLabels& shared);

/// Throws protozero::exception on damaged bytes. The scope's fault; kInvalid for bad UTF-8 or depth
/// in attributes, kReserved for a reserved job among the point's own labels, kLabelValueBytes and
/// kLabelsPerSeries by the limits, kExpandedBytes where its series times their labels, the
/// resource's included, are more than one point may become.
PointSeries build_series(const MetricIdentity& identity, otlp::MetricKind type,
                         const otlp::PointHeader& point, const ScopeLabels& scope,
                         const SeriesContext& context);

}  // namespace vigia::wire::prometheus
