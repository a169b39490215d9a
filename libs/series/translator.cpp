#include "libs/series/translator.hpp"

#include <algorithm>
#include <limits>

#include <fmt/format.h>

#include "libs/base/check.hpp"
#include "libs/series/series_resolver.hpp"
#include "libs/wire/prometheus/exemplars.hpp"
#include "libs/wire/prometheus/native_histogram.hpp"
#include "libs/wire/prometheus/verbatim.hpp"

namespace vigia::series {
namespace {

using wire::otlp::MetricKind;

constexpr std::string_view kTargetInfoHelp = "Attributes of the resource";

TimestampMs to_ms(std::uint64_t ns) { return static_cast<TimestampMs>(ns / 1'000'000); }

/// Gives a sink the values of every accepted point of one body.
class Emitter final : public SeriesResolver, private FamilySource {
 public:
  Emitter(const CustomerId& customer, const wire::prometheus::TranslatorSettings& settings,
          SeriesCache& cache, const Verdicts& verdicts, SeriesSink& sink)
      : SeriesResolver(customer, settings, cache),
        cache_(cache),
        verdicts_(verdicts),
        sink_(sink),
        wants_hashes_(sink.wants_hashes()) {}

 private:
  bool wants(std::uint32_t item) override {
    return !verdicts_.is_rejected(item) && sink_.wants(item);
  }

  void on_point(const ResolvedPoint& resolved) override {
    // Accepted once, a point stays accepted; one that has no series any more (a rule has changed
    // since) has nothing to give, and is not to be taken for sent.
    if (resolved.entry == nullptr) {
      sink_.lose(resolved.item, resolved.fault);
      return;
    }
    forms_ = {resolved.entry->forms, resolved.entry->forms_bytes};
    left_ = resolved.entry->series;
    is_target_info_ = false;
    const wire::otlp::PointHeader& header = *resolved.point;
    point_ = SeriesPoint{};
    point_.item = resolved.item;
    point_.timestamp_ms = to_ms(header.time_ns);
    point_.start_ms = to_ms(header.start_ns);
    point_.family = this;
    newest_ms_ = std::max(newest_ms_, point_.timestamp_ms);
    give(resolved);
    CHECK(left_ == 0);
  }

  void give(const ResolvedPoint& resolved) {
    if (resolved.is_verbatim) {
      give_verbatim(resolved);
      return;
    }
    switch (resolved.type) {
      case MetricKind::kHistogram:
        give_histogram(resolved, static_cast<const wire::otlp::HistogramPoint&>(*resolved.point));
        break;
      case MetricKind::kExponentialHistogram:
        give_native(resolved, static_cast<const wire::otlp::ExponentialPoint&>(*resolved.point));
        break;
      case MetricKind::kSummary:
        give_summary(static_cast<const wire::otlp::SummaryPoint&>(*resolved.point));
        break;
      default:
        give_number(resolved, static_cast<const wire::otlp::NumberPoint&>(*resolved.point));
    }
  }

  /// As it came; a number is told by its value, the rest by what OTLP has no fields for.
  void give_verbatim(const ResolvedPoint& resolved) {
    const bool is_number = resolved.type != MetricKind::kExponentialHistogram;
    const auto* number =
        is_number ? static_cast<const wire::otlp::NumberPoint*>(resolved.point) : nullptr;
    if (number != nullptr && (number->has_value || number->is_stale())) {
      give_value(number->is_stale() ? stale_mark() : number->value);
      return;
    }
    const wire::prometheus::VerbatimPoint parts = wire::prometheus::read_verbatim(resolved.bytes);
    point_.histogram = parts.histogram;
    point_.exemplars = parts.exemplars;
    point_.has_value = !parts.histogram.empty();
    give_value(0);
  }

  void give_number(const ResolvedPoint& resolved, const wire::otlp::NumberPoint& point) {
    if (has_exemplars(point)) take_all_exemplars(resolved);
    give_value(point.is_stale() ? stale_mark() : point.value);
  }

  void give_histogram(const ResolvedPoint& resolved, const wire::otlp::HistogramPoint& point) {
    std::vector<wire::prometheus::EncodedExemplar> exemplars;
    // By the metric's type: the point may be of a classic histogram, its bytes are as they came.
    if (has_exemplars(point))
      exemplars =
          wire::prometheus::read_exemplars(metric().type, resolved.bytes, point_.timestamp_ms);
    double below = -std::numeric_limits<double>::infinity();
    std::uint64_t cumulative = 0;
    for (std::size_t i = 0; i <= point.bounds.size(); ++i) {
      const bool is_last = i == point.bounds.size();
      const double bound = is_last ? std::numeric_limits<double>::infinity() : point.bounds[i];
      if (!is_last && wire::prometheus::is_last_bound(bound)) continue;
      // The forms come in the order in which add_histogram made them; both walks must skip alike,
      // which the CHECK in on_point holds.
      if (i < point.bucket_counts.size()) cumulative += point.bucket_counts[i];
      take_exemplars(exemplars, below, bound);
      below = bound;
      // The +Inf bucket equals the count, whatever the buckets add up to.
      give_value(value_or_stale(point, static_cast<double>(is_last ? point.count : cumulative)));
      point_.exemplars = {};
    }
    if (point.has_sum || point.is_stale()) give_value(value_or_stale(point, point.sum));
    give_value(value_or_stale(point, static_cast<double>(point.count)));
  }

  /// Those of the bucket (below, bound].
  void take_exemplars(const std::vector<wire::prometheus::EncodedExemplar>& exemplars, double below,
                      double bound) {
    exemplar_bytes_.clear();
    for (const wire::prometheus::EncodedExemplar& exemplar : exemplars) {
      if (exemplar.value > below && exemplar.value <= bound) exemplar_bytes_ += exemplar.field;
    }
    point_.exemplars = exemplar_bytes_;
  }

  void give_native(const ResolvedPoint& resolved, const wire::otlp::ExponentialPoint& point) {
    const std::string histogram = wire::prometheus::native_histogram(point, point_.timestamp_ms);
    point_.histogram = histogram;
    if (has_exemplars(point)) take_all_exemplars(resolved);
    give_value(0);
  }

  void take_all_exemplars(const ResolvedPoint& resolved) {
    exemplar_bytes_.clear();
    for (const auto& exemplar :
         wire::prometheus::read_exemplars(resolved.type, resolved.bytes, point_.timestamp_ms)) {
      exemplar_bytes_ += exemplar.field;
    }
    point_.exemplars = exemplar_bytes_;
  }

  void give_summary(const wire::otlp::SummaryPoint& point) {
    for (const wire::otlp::Quantile& quantile : point.quantiles) {
      give_value(value_or_stale(point, quantile.value));
    }
    give_value(value_or_stale(point, point.sum));
    give_value(value_or_stale(point, static_cast<double>(point.count)));
  }

  /// A point without a value has no example of one.
  static bool has_exemplars(const wire::otlp::PointHeader& point) {
    return point.has_exemplars && !point.is_stale();
  }

  static double value_or_stale(const wire::otlp::PointHeader& point, double value) {
    return point.is_stale() ? stale_mark() : value;
  }

  /// The next form's labels, and that value.
  void give_value(double value) {
    CHECK(left_ > 0);
    --left_;
    point_.labels = wire::prometheus::LabelPieces::take(forms_, resource().labels.shared.bytes);
    point_.value = normalized(value);
    send();
  }

  void send() {
    if (wants_hashes_) point_.series_hash = cache_.hash(point_.labels.bytes()).low;
    sink_.take(point_);
  }

  void on_resource_end(const ResourceEntry& entry) override {
    // With the newest time of the resource's own points: a body of yesterday says nothing of now.
    if (!entry.labels.target_info.empty() && newest_ms_ > 0) {
      is_target_info_ = true;
      point_ = SeriesPoint{};
      point_.family = this;
      std::string_view form = entry.labels.target_info;
      point_.labels = wire::prometheus::LabelPieces::take(form, entry.labels.shared.bytes);
      point_.timestamp_ms = newest_ms_;
      point_.value = 1;
      send();
    }
    newest_ms_ = 0;
  }

  std::uint64_t number() const override { return is_target_info_ ? 0 : metric_number(); }

  FamilyWords words() const override {
    if (is_target_info_) return {wire::prometheus::FamilyType::kInfo, kTargetInfoHelp, ""};
    const auto type = is_verbatim() ? wire::prometheus::said_type(metric())
                                    : wire::prometheus::family_type(metric());
    return {type, metric().description, metric().unit};
  }

  const Family& family() override {
    if (is_target_info_) {
      family_ = {"target_info", std::string(kTargetInfoHelp), "",
                 wire::prometheus::FamilyType::kInfo};
    } else if (is_verbatim() && wire::prometheus::is_said(metric())) {
      family_ = {wire::prometheus::family_of(identity()), "", "", identity().type};
    } else if (is_verbatim()) {
      family_ = {wire::prometheus::family_of(identity()), std::string(metric().description),
                 std::string(metric().unit), identity().type};
    } else {
      family_ = {identity().name, std::string(metric().description), std::string(metric().unit),
                 identity().type};
    }
    return family_;
  }

  const SeriesCache& cache_;
  const Verdicts& verdicts_;
  SeriesSink& sink_;
  bool wants_hashes_;
  SeriesPoint point_;
  std::string_view forms_;  // what is left of the entry's forms
  std::uint32_t left_ = 0;
  std::string exemplar_bytes_;
  Family family_;
  bool is_target_info_ = false;
  TimestampMs newest_ms_ = 0;
};

}  // namespace

Translator::Translator(wire::prometheus::TranslatorSettings settings, SeriesCache& cache)
    : settings_(std::move(settings)), cache_(cache) {}

Result<void> Translator::translate(const CustomerId& customer, std::string_view otlp_metrics_body,
                                   const Verdicts& verdicts, SeriesSink& sink) {
  Emitter emitter(customer, settings_, cache_, verdicts, sink);
  auto items = emitter.run(otlp_metrics_body);
  if (!items) return forward(items);
  // Verdicts go by the item's place in the body; where the counts differ they are another body's.
  if (*items != verdicts.items()) {
    return fail(ErrorCode::kCorrupt,
                fmt::format("body of {} points with {} verdicts", *items, verdicts.items()));
  }
  return {};
}

}  // namespace vigia::series
