#include <fmt/format.h>

#include "libs/wire/remote_write/write_request.hpp"
#include "services/collector/exporters/accepted_items.hpp"
#include "services/collector/exporters/push_exporter.hpp"

namespace vigia::collector {
namespace {

namespace prometheus = wire::prometheus;
namespace remote_write = wire::remote_write;

static_assert(Unit::kNoItem == prometheus::kNoItem);

Result<Verdicts> verdicts_of(const pipeline::RecordHeader& header) {
  if (header.verdicts.empty()) return Verdicts(header.items);
  return Verdicts::decode(header.verdicts);
}

/// Writes what the translator gives to the end of a parcel.
class ParcelSink final : public prometheus::SeriesSink {
 public:
  ParcelSink(std::uint32_t record, Parcel& parcel) : record_(record), parcel_(parcel) {}
  void take(const prometheus::SeriesPoint& point) override {
    const bool is_sent = point.item != prometheus::kNoItem;
    parcel_.units.push_back({.begin = parcel_.message.size(),
                             .record = record_,
                             .item = point.item,
                             .items = is_sent ? 1U : 0U,
                             .timestamp_ms = point.timestamp_ms});
    if (point.histogram.empty())
      point.labels.copy_to(remote_write::append_sample_around(parcel_.message, point.labels.size(),
                                                              {point.timestamp_ms, point.value},
                                                              point.exemplars));
    else
      point.labels.copy_to(remote_write::append_histogram_around(
          parcel_.message, point.labels.size(), point.histogram, point.exemplars));
  }

 private:
  std::uint32_t record_;
  Parcel& parcel_;
};

/// One series with its values, as text.
class Describing final : public remote_write::WriteVisitor {
 public:
  void on_series(const remote_write::SeriesView& series) override {
    std::vector<Label> labels;
    for (const remote_write::LabelView& label : series.labels)
      labels.push_back({std::string(label.name), std::string(label.value)});
    text += to_string(Labels::from(std::move(labels)));
    for (const Sample& sample : series.samples)
      text += fmt::format(" {}@{}", sample.value, sample.timestamp_ms);
    for (const remote_write::HistogramView& histogram : series.histograms)
      text += fmt::format(" histogram@{}", histogram.timestamp_ms);
  }
  std::string text;
};

class SeriesPacker final : public Packer {
 public:
  SeriesPacker(prometheus::TranslatorSettings settings, prometheus::SeriesCache& series)
      : translator_(std::move(settings), series) {}
  Result<void> pack(std::uint32_t record, const WindowRecord& window_record,
                    const std::string& body, Parcel& parcel) override {
    auto verdicts = verdicts_of(window_record.header);
    if (!verdicts) return forward(verdicts);
    ParcelSink sink(record, parcel);
    return translator_.translate(parcel.customer, body, *verdicts, sink);
  }
  std::string describe(std::string_view unit) const override {
    Describing describing;
    (void)remote_write::decode_message(unit, {}, describing);
    return describing.text;
  }

 private:
  prometheus::Translator translator_;
};

class BodyPacker final : public Packer {
 public:
  Result<void> pack(std::uint32_t record, const WindowRecord& window_record,
                    const std::string& body, Parcel& parcel) override {
    parcel.units.push_back(
        {.begin = parcel.message.size(), .record = record, .items = window_record.accepted});
    if (window_record.header.rejected == 0) {
      parcel.message += body;
      return {};
    }
    auto verdicts = verdicts_of(window_record.header);
    if (!verdicts) return forward(verdicts);
    auto accepted = accepted_items(parcel.signal, body, *verdicts);
    if (!accepted) return forward(accepted);
    parcel.message += *accepted;
    return {};
  }
  std::string describe(std::string_view unit) const override {
    return fmt::format("an OTLP request of {} bytes", unit.size());
  }
};

}  // namespace

std::unique_ptr<Packer> make_series_packer(const ExporterSettings& settings,
                                           prometheus::SeriesCache& series) {
  prometheus::TranslatorSettings translation;
  if (!settings.resource_labels.empty()) translation.resource_labels = settings.resource_labels;
  return std::make_unique<SeriesPacker>(std::move(translation), series);
}

std::unique_ptr<Packer> make_body_packer() { return std::make_unique<BodyPacker>(); }

}  // namespace vigia::collector
