#include "libs/wire/prometheus/verbatim.hpp"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "libs/model/label_name.hpp"
#include "libs/model/labels.hpp"
#include "libs/wire/otlp/utf8.hpp"
#include "libs/wire/prometheus/label_set.hpp"
#include "libs/wire/prometheus/names.hpp"
#include "libs/wire/remote_write/native_histogram.hpp"

namespace vigia::wire::prometheus {
namespace {

using otlp::MetricKind;

constexpr std::size_t kNameBytesMax = 2048;
constexpr std::size_t kNameShown = 100;
constexpr std::string_view kNotClassic =
    "characters other than letters, digits and _, which a store here does not take, in";

// By number of FamilyType.
constexpr std::array<std::string_view, 8> kTypeNames{
    "unknown", "counter", "gauge", "histogram", "gaugehistogram", "summary", "info", "stateset"};

FamilyType type_named(std::string_view name) {
  const auto* found = std::find(kTypeNames.begin(), kTypeNames.end(), name);
  return found == kTypeNames.end()
             ? FamilyType::kUnknown
             : static_cast<FamilyType>(static_cast<std::uint8_t>(found - kTypeNames.begin()));
}

/// What a Prometheus writes of each of its targets. Of jobs that are the customer's own it says
/// nothing of ours: our rules and pages ask for our jobs (names.hpp).
bool is_of_scrape(std::string_view name) { return name == "up" || name.starts_with("scrape_"); }

bool may_be_our_job(std::string_view job) {
  return job.empty() || is_reserved_job(job) || job.starts_with("vigia-");
}

/// The labels of one point while they are judged.
class LabelJudge {
 public:
  explicit LabelJudge(const SeriesContext& context)
      : job_(context.shared.get("job")),
        is_job_shared_(!job_.empty()),
        takes_utf8_(takes_utf8(context.settings)),
        customer_(context.shared.get(kCustomerLabel)) {}

  /// False ends it; then fault() says why.
  bool take(const otlp::KeyValueView& attribute) {
    std::string value;
    otlp::append_value_text(value, attribute.value);
    if (value.empty()) return true;  // a label without a value is no label
    const std::string_view name = attribute.key;
    if (!is_name(name)) return refuse(RejectReason::kInvalid, "not a label's name", name);
    if (!otlp::is_utf8(value)) return refuse(RejectReason::kInvalid, "no UTF-8 in label", name);
    if (name == kNameLabel) return refuse(RejectReason::kInvalid, "a label stands twice", name);
    if (name.starts_with("__")) return refuse(RejectReason::kReserved, "reserved label", name);
    // Whatever is called so would be read as whose it is: our own label takes its place.
    if (label_name(name) == kCustomerLabel) {
      return value == customer_ ||
             refuse(RejectReason::kForeign, "another customer in label", name);
    }
    if (!takes_utf8_ && !is_classic_label_name(name))
      return refuse(RejectReason::kUntranslatable, kNotClassic, name);
    if (name == "job" && !is_job_shared_) job_ = value;
    if (name == "le" || name == "quantile") {
      uncounted_.emplace_back(name, std::move(value));
    } else {
      labels_.emplace_back(is_rule_label(name) ? label_name(name) : std::string(name),
                           std::move(value));
    }
    return true;
  }

  bool is_unique() {
    std::sort(labels_.begin(), labels_.end());
    std::sort(uncounted_.begin(), uncounted_.end());
    for (const auto* labels : {&labels_, &uncounted_}) {
      const auto twice = std::adjacent_find(
          labels->begin(), labels->end(),
          [](const LabelPair& left, const LabelPair& right) { return left.first == right.first; });
      if (twice != labels->end())
        return refuse(RejectReason::kInvalid, "a label stands twice", twice->first);
    }
    return true;
  }

  bool refuse(RejectReason reason, std::string_view what, std::string_view name) {
    fault_ = reason;
    why_ = fmt::format("{}: \"{}\"", what, name.substr(0, kNameShown));
    return false;
  }

  RejectReason fault_ = RejectReason::kNone;
  std::string why_;
  std::string job_;
  std::vector<LabelPair> labels_;
  std::vector<LabelPair> uncounted_;  ///< those that no limit counts

 private:
  bool is_job_shared_;  // the resource's takes the place of the series'
  bool takes_utf8_;
  std::string_view customer_;
};

RejectReason limits_fault(const LabelJudge& judge, const SeriesContext& context, std::string& why) {
  RejectReason fault = label_fault(judge.labels_, context.limits, why);
  if (fault == RejectReason::kNone) fault = label_fault(judge.uncounted_, context.limits, why);
  if (fault == RejectReason::kNone)
    fault = count_fault(judge.labels_, context.shared.labels.size(), context.limits, why);
  return fault;
}

}  // namespace

bool takes_utf8(const TranslatorSettings& settings) {
  if (settings.strategies == 0) return keeps_utf8(settings.strategy);
  for (std::size_t i = 0; i < kStrategies; ++i) {
    if ((settings.strategies >> i & 1U) != 0 && !keeps_utf8(static_cast<Strategy>(i))) return false;
  }
  return true;
}

FamilyType verbatim_type(const otlp::MetricView& metric) {
  return type_named(metric.prometheus_type);
}

bool is_said(const otlp::MetricView& metric) {
  return metric.prometheus_type.starts_with(kSaidType);
}

FamilyType said_type(const otlp::MetricView& metric) {
  return type_named(metric.prometheus_type.substr(is_said(metric) ? kSaidType.size() : 0));
}

MetricIdentity identify_verbatim(const otlp::MetricView& metric, const TranslatorSettings& settings,
                                 std::string& why) {
  MetricIdentity identity;
  identity.name = std::string(metric.name);
  identity.type = verbatim_type(metric);
  if (!is_name(metric.name)) {
    identity.fault = RejectReason::kInvalid;
    why = metric.name.empty() ? "a series without a metric name" : "not a metric's name";
  } else if (metric.name.size() > kNameBytesMax) {
    identity.fault = RejectReason::kUntranslatable;
    why = fmt::format("a metric's name of {} bytes, {} may be", metric.name.size(), kNameBytesMax);
  } else if (!takes_utf8(settings) && !is_classic_metric_name(metric.name)) {
    identity.fault = RejectReason::kUntranslatable;
    why = fmt::format("{}: \"{}\"", kNotClassic, metric.name.substr(0, kNameShown));
  } else if (is_reserved_name(metric.name, false) && !is_of_scrape(metric.name)) {
    identity.fault = RejectReason::kReserved;
    why = fmt::format("\"{}\" is a name of the provider's", metric.name.substr(0, kNameShown));
  }
  return identity;
}

std::string family_of(const MetricIdentity& identity) {
  std::string_view name = identity.name;
  if (identity.type == FamilyType::kHistogram || identity.type == FamilyType::kGaugeHistogram ||
      identity.type == FamilyType::kSummary) {
    for (const std::string_view suffix : {"_bucket", "_count", "_sum"}) {
      if (!name.ends_with(suffix)) continue;
      name.remove_suffix(suffix.size());
      break;
    }
  }
  return std::string(name);
}

VerbatimPoint read_verbatim(std::string_view point) {
  VerbatimPoint found;
  otlp::FieldReader reader(point);
  while (reader.next()) {
    switch (reader.tag_and_type()) {
      case VerbatimField::kHistogram.tag:
        found.histogram = reader.bytes();
        break;
      case VerbatimField::kExemplars.tag:
        found.exemplars = reader.bytes();
        break;
      case VerbatimField::kFault.tag:
        found.fault = reader.bytes();
        break;
      default:
        reader.skip();
    }
  }
  return found;
}

std::uint64_t count_exemplars(std::string_view point) {
  std::uint64_t count = 0;
  otlp::FieldReader reader(read_verbatim(point).exemplars);
  for (; reader.next(); ++count) reader.skip();
  return count;
}

RejectReason verbatim_fault(MetricKind type, const otlp::PointHeader& point, std::string_view bytes,
                            std::string& why, std::uint32_t& buckets) {
  const bool is_number = type == MetricKind::kGauge || type == MetricKind::kSum;
  // Nearly all points are plain numbers, of which nothing more has to be read.
  const bool is_plain =
      is_number && (static_cast<const otlp::NumberPoint&>(point).has_value || point.is_stale());
  const VerbatimPoint parts = is_plain ? VerbatimPoint{} : read_verbatim(bytes);
  if (!parts.fault.empty()) {
    why = std::string(parts.fault);
    return RejectReason::kInvalid;
  }
  if (point.time_ns == 0) {
    why = "no time, or one before 1970";
    return RejectReason::kUntranslatable;
  }
  if (is_plain) return RejectReason::kNone;
  if (is_number) return parts.exemplars.empty() ? RejectReason::kInvalid : RejectReason::kNone;
  if (type != MetricKind::kExponentialHistogram) return RejectReason::kUntranslatable;
  const auto histogram = remote_write::sound_histogram(parts.histogram);
  if (!histogram) {
    why = histogram.error().message;
    return RejectReason::kInvalid;
  }
  std::size_t count = 0;
  for (const auto* side : {&histogram->positive, &histogram->negative})
    count += std::max(side->deltas.size(), side->counts.size()) + side->spans.size();
  count += histogram->custom_bounds.size();
  buckets = static_cast<std::uint32_t>(count);
  if (count <= kVerbatimBucketsMax) return RejectReason::kNone;
  why = fmt::format("a histogram of {} buckets, spans and bounds, {} may be", count,
                    kVerbatimBucketsMax);
  return RejectReason::kUntranslatable;
}

PointSeries build_verbatim(const MetricIdentity& identity, const otlp::PointHeader& point,
                           const SeriesContext& context) {
  PointSeries series;
  LabelJudge judge(context);
  bool is_good = true;
  otlp::for_each_attribute(point.attributes, [&](const otlp::KeyValueView& attribute) {
    is_good = is_good && judge.take(attribute);
  });
  is_good = is_good && judge.is_unique();
  if (is_good && is_reserved_job(judge.job_))
    is_good = judge.refuse(RejectReason::kReserved, "a job of the provider's", judge.job_);
  if (is_good && is_of_scrape(identity.name) && may_be_our_job(judge.job_)) {
    is_good = judge.refuse(RejectReason::kReserved, "of what a scrape tells: no job of your own",
                           judge.job_);
  }
  series.fault = is_good ? limits_fault(judge, context, series.why) : judge.fault_;
  if (!is_good) series.why = std::move(judge.why_);
  if (series.fault != RejectReason::kNone) return series;
  std::vector<LabelPair> own = std::move(judge.labels_);
  std::move(judge.uncounted_.begin(), judge.uncounted_.end(), std::back_inserter(own));
  if (!fits_a_series(own, context.shared)) {
    series.fault = RejectReason::kUntranslatable;
    return series;
  }
  own.emplace_back(kNameLabel, identity.name);
  append_own_labels(series.forms.emplace_back(), own, context.shared);
  return series;
}

}  // namespace vigia::wire::prometheus
