#include "services/collector/exporters/remote_write/series_packer.hpp"

#include <fmt/format.h>

#include "libs/base/bytes.hpp"
#include "libs/series/translator.hpp"
#include "libs/wire/remote_write/series_extras.hpp"

namespace vigia::collector::exporters::remote_write {
namespace {

namespace prometheus = wire::prometheus;
namespace protocol = wire::remote_write;

static_assert(delivery::Unit::kNoItem == series::kNoItem);

Result<Verdicts> verdicts_of(const delivery::OtlpRecord& record) {
  if (record.verdicts.empty()) return Verdicts(record.items);
  return Verdicts::decode(record.verdicts);
}

/// Writes what the translator gives to the end of a parcel, from a place on, until it is full.
class ParcelSink final : public series::SeriesSink {
 public:
  ParcelSink(std::uint32_t index, delivery::Place from, std::size_t bytes_max,
             delivery::Parcel& parcel)
      : index_(index), from_(from), bytes_max_(bytes_max), parcel_(parcel) {}

  bool wants(std::uint32_t item) override {
    if (next_ || item < from_.item) return false;
    // One item at least goes in, however large: else it would never be sent.
    if (!is_full() || parcel_.units.empty()) return true;
    next_ = delivery::Place{item, 0};
    return false;
  }

  void take(const series::SeriesPoint& point) override {
    const bool is_sent = point.item != series::kNoItem;
    if (is_sent && !goes_in(point.item)) return;
    parcel_.units.push_back({.begin = parcel_.message.size(),
                             .record = index_,
                             .item = point.item,
                             .items = is_sent && is_first_ ? 1U : 0U,
                             .timestamp_ms = point.timestamp_ms});
    const std::string_view extras = extras_of(point);
    if (!point.has_value)
      point.labels.copy_to(
          protocol::append_exemplars_around(parcel_.message, point.labels.size(), point.exemplars));
    else if (point.histogram.empty())
      point.labels.copy_to(protocol::append_sample_around(parcel_.message, point.labels.size(),
                                                          {point.timestamp_ms, point.value},
                                                          point.exemplars, extras));
    else
      point.labels.copy_to(protocol::append_histogram_around(
          parcel_.message, point.labels.size(), point.histogram, point.exemplars, extras));
  }

  void lose(std::uint32_t item, RejectReason /*fault*/) override {
    if (next_ && delivery::Place{item, 0} >= *next_) return;
    ++items_;
    ++lost_;
  }

  delivery::Packed packed() const { return {next_, items_, lost_}; }

 private:
  /// What 2.0 says beside: type, help and unit, and since when a counter or histogram counts.
  std::string_view extras_of(const series::SeriesPoint& point) {
    if (const std::uint64_t number = point.family->number(); !metric_ || *metric_ != number) {
      metric_ = number;
      const series::FamilyWords family = point.family->words();
      counts_ = family.type == prometheus::FamilyType::kCounter ||
                family.type == prometheus::FamilyType::kHistogram ||
                family.type == prometheus::FamilyType::kSummary;
      extras_ = protocol::encode_extras({.type = static_cast<std::uint32_t>(family.type),
                                         .family = {},
                                         .help = family.help,
                                         .unit = family.unit});
      metadata_bytes_ = extras_.size();
    }
    extras_.resize(metadata_bytes_);
    // One that is not before its value says nothing: some senders put the value's own time.
    if (counts_ && point.start_ms > 0 && point.start_ms < point.timestamp_ms)
      protocol::append_start(extras_, point.start_ms);
    return extras_;
  }

  bool is_full() const {
    return parcel_.message.size() >= bytes_max_ ||
           parcel_.units.size() >= delivery::Packer::kUnitsMax;
  }

  /// Points that the resolver had in hand when the parcel was full still go in: a few. Of a point
  /// that becomes many series only what fits does.
  bool goes_in(std::uint32_t item) {
    is_first_ = item != item_;
    part_ = is_first_ ? 0 : part_ + 1;
    if (is_first_) {
      item_ = item;
      first_unit_ = parcel_.units.size();
      ++items_;
    }
    if (item == from_.item && part_ < from_.part) return false;
    if (next_ && delivery::Place{item, part_} >= *next_) return false;
    const bool has_some_of_it = first_unit_ < parcel_.units.size();
    if (!has_some_of_it || !is_full()) {
      is_first_ = !has_some_of_it;
      return true;
    }
    next_ = delivery::Place{item, part_};
    parcel_.units[first_unit_].items = 0;  // counted where its last part is
    --items_;
    return false;
  }

  const std::uint32_t index_;
  const delivery::Place from_;
  const std::size_t bytes_max_;
  delivery::Parcel& parcel_;
  std::optional<delivery::Place> next_;
  std::uint32_t items_ = 0;
  std::uint32_t lost_ = 0;
  std::uint32_t item_ = series::kNoItem;
  std::uint32_t part_ = 0;
  std::size_t first_unit_ = 0;  // of the item under way
  bool is_first_ = false;
  std::optional<std::uint64_t> metric_;  // that extras_ are of
  bool counts_ = false;
  std::string extras_;
  std::size_t metadata_bytes_ = 0;
};

/// One series with its values, as text.
class Describing final : public protocol::WriteVisitor {
 public:
  void on_series(const protocol::SeriesView& series) override {
    std::vector<Label> labels;
    for (const protocol::LabelView& label : series.labels)
      labels.push_back({std::string(label.name), std::string(label.value)});
    text += to_string(Labels::from(std::move(labels)));
    for (const Sample& sample : series.samples)
      text += fmt::format(" {}@{}", sample.value, sample.timestamp_ms);
    for (const protocol::HistogramView& histogram : series.histograms)
      text += fmt::format(" histogram@{}", histogram.timestamp_ms);
  }
  std::string text;
};

constexpr char kLengthDelimited1 = '\x0a';  // tag of field 1: a series, a label

/// The labels of an encoded `timeseries` field, as they lie in it.
std::string_view labels_of(std::string_view unit) {
  if (unit.empty() || unit.front() != kLengthDelimited1) return {};
  ByteReader outer(unit.substr(1));
  std::string_view series = outer.read_sized();
  if (!protocol::take_extras(series)) return {};
  std::size_t end = 0;
  while (end < series.size() && series[end] == kLengthDelimited1) {
    ByteReader label(series.substr(end + 1));
    (void)label.read_sized();
    if (!label.ok()) return {};
    end = series.size() - label.rest().size();
  }
  return series.substr(0, end);
}

class SeriesPacker final : public delivery::Packer {
 public:
  SeriesPacker(prometheus::TranslatorSettings settings, series::SeriesCache& series)
      : translator_(std::move(settings), series) {}
  Result<delivery::Packed> pack(std::uint32_t index, const delivery::OtlpRecord& record,
                                delivery::Place from, std::size_t bytes_max,
                                delivery::Parcel& parcel) override {
    auto verdicts = verdicts_of(record);
    if (!verdicts) return forward(verdicts);
    ParcelSink sink(index, from, bytes_max, parcel);
    auto translated = translator_.translate(parcel.customer, record.body, *verdicts, sink);
    if (!translated) return forward(translated);
    return sink.packed();
  }
  std::string describe(std::string_view unit) const override {
    Describing describing;
    (void)protocol::decode_message(unit, {}, describing);
    return describing.text;
  }
  std::string_view kind_of(std::string_view unit) const override { return labels_of(unit); }

 private:
  series::Translator translator_;
};

}  // namespace

std::unique_ptr<delivery::Packer> make_series_packer(prometheus::TranslatorSettings translation,
                                                     series::SeriesCache& series) {
  return std::make_unique<SeriesPacker>(std::move(translation), series);
}

}  // namespace vigia::collector::exporters::remote_write
