#include "services/agent/telemetry/sdk_meter.hpp"

#include <map>
#include <string_view>
#include <unordered_set>
#include <utility>

#include <opentelemetry/common/key_value_iterable_view.h>
#include <opentelemetry/metrics/async_instruments.h>
#include <opentelemetry/metrics/observer_result.h>
#include <opentelemetry/sdk/common/global_log_handler.h>
#include <opentelemetry/sdk/metrics/export/metric_producer.h>
#include <opentelemetry/sdk/metrics/meter.h>
#include <opentelemetry/sdk/metrics/meter_provider.h>
#include <opentelemetry/sdk/metrics/metric_reader.h>
#include <opentelemetry/sdk/metrics/view/view_registry.h>
#include <opentelemetry/sdk/resource/resource.h>
#include <protozero/pbf_writer.hpp>

#include "libs/service/log.hpp"
#include "libs/wire/otlp/fields.hpp"
#include "services/agent/telemetry/otlp_writer.hpp"

namespace vigia::agent::telemetry {

namespace {

namespace api = opentelemetry::metrics;
namespace sdk = opentelemetry::sdk::metrics;
namespace nostd = opentelemetry::nostd;

constexpr const char* kScopeName = "vigia-agent";
/// The SDK keeps every attribute set that it has ever seen, up to 2000 an instrument, and then
/// merges new ones. Past this many that are gone it is built anew, which loses nothing: observed
/// sums are absolute.
constexpr std::size_t kGonePointsMax = 200;

using wire::otlp::ExportRequestField;
using wire::otlp::GroupField;
using wire::otlp::MetricDataField;
using wire::otlp::MetricField;
using wire::otlp::NumberPointField;
constexpr std::int32_t kCumulative = 2;

/// Hands the SDK's own complaints to our log.
class LogHandler final : public opentelemetry::sdk::common::internal_log::LogHandler {
 public:
  void Handle(opentelemetry::sdk::common::internal_log::LogLevel level, const char* /*file*/,
              int /*line*/, const char* message,
              const opentelemetry::sdk::common::AttributeMap& /*attributes*/) noexcept override {
    const std::string text = message == nullptr ? "" : message;
    if (level == opentelemetry::sdk::common::internal_log::LogLevel::Error) {
      service::log_error("OpenTelemetry SDK", {{"detail", text}});
    } else {
      service::log_debug("OpenTelemetry SDK", {{"detail", text}});
    }
  }
};

class PullReader final : public sdk::MetricReader {
 public:
  sdk::AggregationTemporality GetAggregationTemporality(
      sdk::InstrumentType /*type*/) const noexcept override {
    return sdk::AggregationTemporality::kCumulative;
  }

 private:
  bool OnForceFlush(std::chrono::microseconds /*timeout*/) noexcept override { return true; }
  bool OnShutDown(std::chrono::microseconds /*timeout*/) noexcept override { return true; }
};

/// An instrument and the family that its callback gives in this round.
struct Instrument {
  nostd::shared_ptr<api::ObservableInstrument> handle;
  const host::MetricFamily* family = nullptr;
};

template <typename T>
void observe_points(api::ObserverResultT<T>& result, const host::MetricFamily& family) {
  std::vector<std::pair<nostd::string_view, opentelemetry::common::AttributeValue>> attributes;
  for (const host::MetricPoint& point : family.points) {
    attributes.clear();
    for (const auto& [key, value] : point.attributes) {
      attributes.emplace_back(nostd::string_view(key.data(), key.size()),
                              nostd::string_view(value.data(), value.size()));
    }
    using View = opentelemetry::common::KeyValueIterableView<decltype(attributes)>;
    result.Observe(std::get<T>(point.value), View(attributes));
  }
}

void observe(api::ObserverResult result, void* state) {
  const auto* instrument = static_cast<const Instrument*>(state);
  if (instrument->family == nullptr) return;
  if (instrument->family->is_double) {
    observe_points(*nostd::get<nostd::shared_ptr<api::ObserverResultT<double>>>(result),
                   *instrument->family);
  } else {
    observe_points(*nostd::get<nostd::shared_ptr<api::ObserverResultT<std::int64_t>>>(result),
                   *instrument->family);
  }
}

nostd::shared_ptr<api::ObservableInstrument> create_instrument(api::Meter& meter,
                                                               const host::MetricFamily& family) {
  const auto view = [](std::string_view text) {
    return nostd::string_view(text.data(), text.size());
  };
  const auto name = view(family.name);
  const auto description = view(family.description);
  const auto unit = view(family.unit);
  switch (family.kind) {
    case host::InstrumentKind::kCounter:
      return family.is_double ? meter.CreateDoubleObservableCounter(name, description, unit)
                              : meter.CreateInt64ObservableCounter(name, description, unit);
    case host::InstrumentKind::kUpDownCounter:
      return family.is_double ? meter.CreateDoubleObservableUpDownCounter(name, description, unit)
                              : meter.CreateInt64ObservableUpDownCounter(name, description, unit);
    case host::InstrumentKind::kGauge:
      break;
  }
  return family.is_double ? meter.CreateDoubleObservableGauge(name, description, unit)
                          : meter.CreateInt64ObservableGauge(name, description, unit);
}

/// Attributes as one text, in the order of their keys, to tell points of this round from old ones.
std::string point_key(std::map<std::string_view, std::string_view> attributes) {
  std::string key;
  for (const auto& [name, value] : attributes) {
    key.append(name).push_back('\0');
    key.append(value).push_back('\0');
  }
  return key;
}

std::string point_key(const host::MetricPoint& point) {
  std::map<std::string_view, std::string_view> attributes;
  for (const auto& [name, value] : point.attributes) attributes[name] = value;
  return point_key(std::move(attributes));
}

std::string point_key(const sdk::PointAttributes& attributes) {
  std::map<std::string_view, std::string_view> texts;
  for (const auto& [name, value] : attributes) {
    if (const auto* text = nostd::get_if<std::string>(&value)) texts[name] = *text;
  }
  return point_key(std::move(texts));
}

void write_value(protozero::pbf_writer& writer, const sdk::ValueType& value) {
  if (const auto* whole = nostd::get_if<std::int64_t>(&value)) {
    writer.add_sfixed64(NumberPointField::kInt.number, *whole);
  } else {
    writer.add_double(NumberPointField::kDouble.number, nostd::get<double>(value));
  }
}

struct PointTimes {
  std::int64_t start_ns = 0;  // 0: not sent
  std::int64_t time_ns = 0;
};

std::string encode_point(const sdk::PointDataAttributes& point, const PointTimes& times) {
  std::string bytes;
  protozero::pbf_writer writer(bytes);
  for (const auto& [name, value] : point.attributes) {
    const auto* text = nostd::get_if<std::string>(&value);
    if (text != nullptr)
      writer.add_message(NumberPointField::kAttributes.number, encode_text_attribute(name, *text));
  }
  if (times.start_ns > 0) {
    writer.add_fixed64(NumberPointField::kStartTime.number,
                       static_cast<std::uint64_t>(times.start_ns));
  }
  writer.add_fixed64(NumberPointField::kTime.number, static_cast<std::uint64_t>(times.time_ns));
  if (const auto* sum = nostd::get_if<sdk::SumPointData>(&point.point_data)) {
    write_value(writer, sum->value_);
  } else if (const auto* last = nostd::get_if<sdk::LastValuePointData>(&point.point_data)) {
    write_value(writer, last->value_);
  }
  return bytes;
}

}  // namespace

class SdkMeter::Impl {
 public:
  explicit Impl(const std::vector<host::ResourceAttribute>& resource)
      : resource_(encode_resource(resource)) {
    opentelemetry::sdk::common::internal_log::GlobalLogHandler::SetLogHandler(
        nostd::shared_ptr<opentelemetry::sdk::common::internal_log::LogHandler>(
            std::make_shared<LogHandler>()));
    build();
  }

  EncodedMetrics collect(const std::vector<host::MetricFamily>& families, std::int64_t time_ns) {
    if (gone_points_ > kGonePointsMax) build();
    for (auto& [name, instrument] : instruments_) instrument->family = nullptr;
    for (const host::MetricFamily& family : families) assign(family);
    EncodedMetrics encoded;
    gone_points_ = 0;
    std::string scope_metrics;
    {
      protozero::pbf_writer writer(scope_metrics);
      writer.add_message(GroupField::kHead.number, scope_);
      reader_->Collect([&](sdk::ResourceMetrics& collected) {
        for (const auto& scope : collected.scope_metric_data_) {
          for (const auto& metric : scope.metric_data_) {
            encoded.points += write_metric(writer, metric, time_ns);
          }
        }
        return true;
      });
    }
    if (encoded.points > 0) encoded.body = wrap(scope_metrics);
    return encoded;
  }

 private:
  void build() {
    instruments_.clear();
    gone_points_ = 0;
    provider_ = std::make_unique<sdk::MeterProvider>(
        std::make_unique<sdk::ViewRegistry>(),
        opentelemetry::sdk::resource::Resource::Create({{"service.name", kScopeName}}));
    reader_ = std::make_shared<PullReader>();
    provider_->AddMetricReader(reader_);
    meter_ = provider_->GetMeter(kScopeName, VIGIA_VERSION);
    scope_.clear();
    protozero::pbf_writer writer(scope_);
    writer.add_string(wire::otlp::ScopeField::kName.number, kScopeName);
    writer.add_string(wire::otlp::ScopeField::kVersion.number, VIGIA_VERSION);
  }

  void assign(const host::MetricFamily& family) {
    auto& instrument = instruments_[std::string(family.name)];
    if (!instrument) {
      instrument = std::make_unique<Instrument>();
      instrument->handle = create_instrument(*meter_, family);
      instrument->handle->AddCallback(observe, instrument.get());
    }
    instrument->family = &family;
  }

  /// Returns how many points it wrote.
  std::uint32_t write_metric(protozero::pbf_writer& scope_writer, const sdk::MetricData& metric,
                             std::int64_t time_ns) {
    const auto found = instruments_.find(metric.instrument_descriptor.name_);
    const host::MetricFamily* family =
        found == instruments_.end() ? nullptr : found->second->family;
    // The SDK gives the last value of an instrument that was not observed: of a device that is gone
    // it would tell for ever.
    if (family == nullptr) {
      gone_points_ += metric.point_data_attr_.size();
      return 0;
    }
    std::unordered_set<std::string> present;
    for (const host::MetricPoint& point : family->points) present.insert(point_key(point));
    const bool is_gauge = family->kind == host::InstrumentKind::kGauge;
    const PointTimes times{is_gauge ? 0 : family->start_ns, time_ns};
    std::string data;
    protozero::pbf_writer writer(data);
    std::uint32_t points = 0;
    for (const auto& point : metric.point_data_attr_) {
      if (!present.contains(point_key(point.attributes))) {
        ++gone_points_;
        continue;
      }
      writer.add_message(MetricDataField::kPoints.number, encode_point(point, times));
      ++points;
    }
    if (!is_gauge) {
      writer.add_enum(MetricDataField::kTemporality.number, kCumulative);
      writer.add_bool(MetricDataField::kIsMonotonic.number,
                      family->kind == host::InstrumentKind::kCounter);
    }
    if (points > 0) add_metric(scope_writer, *family, data);
    return points;
  }

  static void add_metric(protozero::pbf_writer& scope_writer, const host::MetricFamily& family,
                         const std::string& data) {
    protozero::pbf_writer writer(scope_writer, GroupField::kMembers.number);
    writer.add_string(MetricField::kName.number, family.name.data(), family.name.size());
    writer.add_string(MetricField::kDescription.number, family.description.data(),
                      family.description.size());
    writer.add_string(MetricField::kUnit.number, family.unit.data(), family.unit.size());
    writer.add_message(family.kind == host::InstrumentKind::kGauge ? MetricField::kGauge.number
                                                                   : MetricField::kSum.number,
                       data);
  }

  std::string wrap(const std::string& scope_metrics) const {
    std::string resource_metrics;
    protozero::pbf_writer resource_writer(resource_metrics);
    resource_writer.add_message(GroupField::kHead.number, resource_);
    resource_writer.add_message(GroupField::kMembers.number, scope_metrics);
    resource_writer.add_string(GroupField::kSchemaUrl.number, kSchemaUrl);
    std::string body;
    protozero::pbf_writer(body).add_message(ExportRequestField::kGroups.number, resource_metrics);
    return body;
  }

  std::string resource_;
  std::string scope_;
  // Before the SDK's parts, which call back into them until they end.
  std::map<std::string, std::unique_ptr<Instrument>, std::less<>> instruments_;
  std::unique_ptr<sdk::MeterProvider> provider_;
  std::shared_ptr<PullReader> reader_;  // shared with the provider, which holds it by contract
  nostd::shared_ptr<api::Meter> meter_;
  std::size_t gone_points_ = 0;
};

SdkMeter::SdkMeter(const std::vector<host::ResourceAttribute>& resource)
    : impl_(std::make_unique<Impl>(resource)) {}

SdkMeter::~SdkMeter() = default;

EncodedMetrics SdkMeter::collect(const std::vector<host::MetricFamily>& families,
                                 std::int64_t time_ns) {
  return impl_->collect(families, time_ns);
}

}  // namespace vigia::agent::telemetry
