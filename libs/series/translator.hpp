// OTLP metrics to Prometheus series, by the OpenTelemetry specification "Prometheus and OpenMetrics
// Compatibility" (R-PM-1 to R-PM-14).
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "libs/base/result.hpp"
#include "libs/model/ids.hpp"
#include "libs/model/sample.hpp"
#include "libs/model/verdicts.hpp"
#include "libs/series/series_cache.hpp"
#include "libs/wire/prometheus/labels_encoding.hpp"
#include "libs/wire/prometheus/resource_labels.hpp"
#include "libs/wire/prometheus/series_builder.hpp"

namespace vigia::series {

/// What a series belongs to.
struct Family {
  std::string name;  ///< translated, without _bucket, _count, _sum: "http_requests_total"
  std::string help;
  std::string unit;  ///< as the sender gave it
  wire::prometheus::FamilyType type = wire::prometheus::FamilyType::kUnknown;
};

/// What a family is told by beside its name. Views the body.
struct FamilyWords {
  wire::prometheus::FamilyType type = wire::prometheus::FamilyType::kUnknown;
  std::string_view help;
  std::string_view unit;
};

/// The family of the metric under way, made when first asked for: most sinks never do.
class FamilySource {
 public:
  virtual ~FamilySource() = default;
  virtual const Family& family() = 0;
  /// The same without the name, which costs more than a point does.
  virtual FamilyWords words() const = 0;
  /// Another one for each metric of a body, so that what was made of its words serves its next
  /// point; 0 is target_info's.
  virtual std::uint64_t number() const = 0;
};

inline constexpr std::uint32_t kNoItem = 0xffffffffU;

/// One value of one series. Views live as long as the call.
struct SeriesPoint {
  /// OTLP data point that it comes from; kNoItem for target_info, which is no point of the sender.
  std::uint32_t item = kNoItem;
  /// Where the sink wants it: the same for equal label sets within a process (customer included);
  /// differs otherwise, but for a chance of 2^-64.
  std::uint64_t series_hash = 0;
  /// The `labels` fields of a prometheus.TimeSeries (remote write 1.0), sorted by name: copy them
  /// to the front of the message.
  wire::prometheus::LabelPieces labels;
  TimestampMs timestamp_ms = 0;
  TimestampMs start_ms = 0;    ///< 0 where the sender gave none
  double value = 0;            ///< where histogram is empty
  bool has_value = true;       ///< false: there are exemplars alone
  std::string_view histogram;  ///< an encoded prometheus.Histogram, its time stamp included; or ""
  std::string_view exemplars;  ///< encoded `exemplars` fields of a prometheus.TimeSeries, or ""
  FamilySource* family = nullptr;  ///< never null in a call of take
};

/// Takes what comes out, one call a value, items in ascending order. Within one body the values of
/// a series come in the order of the body.
class SeriesSink {
 public:
  virtual ~SeriesSink() = default;
  virtual void take(const SeriesPoint& point) = 0;
  /// False passes over a point before its series are made. Asked in ascending order, for some
  /// points ahead of those that are taken: a point that was wanted is always given.
  virtual bool wants(std::uint32_t /*item*/) { return true; }
  /// Instead of take: a point that was wanted has no series (any more), so nothing comes of it.
  virtual void lose(std::uint32_t /*item*/, RejectReason /*fault*/) {}
  /// Whether series_hash is to be found, which costs a look at all label bytes.
  virtual bool wants_hashes() const { return false; }
};

/// Thread contract: any thread; several Translators may share one cache.
class Translator {
 public:
  /// `cache` must outlive the translator.
  Translator(wire::prometheus::TranslatorSettings settings, SeriesCache& cache);

  /// Gives the sink every value of the accepted points of an ExportMetricsServiceRequest, and one
  /// target_info a resource. Points that the verdicts reject are passed over. kInvalid where the
  /// body cannot be walked: bodies in the disk log have passed intake, so there it means damage.
  Result<void> translate(const CustomerId& customer, std::string_view otlp_metrics_body,
                         const Verdicts& verdicts, SeriesSink& sink);

 private:
  wire::prometheus::TranslatorSettings settings_;
  SeriesCache& cache_;
};

}  // namespace vigia::series
