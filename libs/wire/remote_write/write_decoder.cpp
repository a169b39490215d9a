#include <array>
#include <bit>
#include <optional>

#include "libs/base/protobuf_reader.hpp"
#include "libs/model/label_name.hpp"
#include "libs/wire/remote_write/write_fields.hpp"
#include "libs/wire/remote_write/write_request.hpp"

namespace vigia::wire::remote_write {
namespace {

constexpr KnownFields kOfRequest{length_field(1), length_field(3)};
constexpr KnownFields kOfSeries{length_field(1), length_field(2), length_field(3), length_field(4)};
constexpr KnownFields kOfExemplar{length_field(1), fixed64_field(2), varint_field(3)};
constexpr KnownFields kOfMetadata{varint_field(1), length_field(2), length_field(4),
                                  length_field(5)};

// A label as encoders write it: name and value, each under 128 bytes, no more. A third of what a
// request costs are its labels. Into its place: what is made of single words and copied as a whole
// waits for these. False for any other, which may be right all the same.
bool read_plain_label(std::string_view bytes, LabelView& label) {
  constexpr char kNameKey = 0x0a;
  constexpr char kValueKey = 0x12;
  constexpr std::size_t kHeads = 4;  // a key and a length each
  constexpr std::size_t kLongest = 127;
  if (bytes.size() < kHeads || bytes[0] != kNameKey) return false;
  const std::size_t name = static_cast<unsigned char>(bytes[1]);
  if (name > kLongest || bytes.size() < kHeads + name || bytes[2 + name] != kValueKey) return false;
  const std::size_t value = static_cast<unsigned char>(bytes[3 + name]);
  if (value > kLongest || bytes.size() != kHeads + name + value) return false;
  label.name = {bytes.data() + 2, name};
  label.value = {bytes.data() + kHeads + name, value};
  return true;
}

void read_label(std::string_view bytes, LabelView& label) {
  if (read_plain_label(bytes, label)) return;
  ProtobufReader message(bytes.data(), bytes.size());
  while (message.next()) {
    switch (message.tag_and_type()) {
      case length_field(1):
        label.name = to_view(message.get_view());
        break;
      case length_field(2):
        label.value = to_view(message.get_view());
        break;
      default:
        pass_over(message, kOfLabel);
    }
  }
}

/// How many bytes at the beginning of a series are `labels` fields as encoders write them, under
/// 128 bytes each: gone over without a look into them.
std::size_t plain_labels(std::string_view bytes) {
  constexpr char kLabelKey = 0x0a;
  constexpr std::size_t kHead = 2;  // the key and a length
  constexpr std::size_t kLongest = 127;
  std::size_t at = 0;
  while (bytes.size() - at >= kHead && bytes[at] == kLabelKey) {
    const std::size_t length = static_cast<unsigned char>(bytes[at + 1]);
    if (length > kLongest || bytes.size() - at - kHead < length) break;
    at += kHead + length;
  }
  return at;
}

void append_labels(std::string_view label_bytes, std::size_t labels_max,
                   std::vector<LabelView>& labels) {
  ProtobufReader fields(label_bytes.data(), label_bytes.size());
  while (fields.next()) {
    if (labels.size() == labels_max) throw OverLimit{"labels in a series"};
    LabelView label;
    read_label(to_view(fields.get_view()), label);
    labels.push_back(label);
  }
}

/// Reads series into room that is used again and again.
class Decoder {
 public:
  Decoder(const DecodeLimits& limits, WriteVisitor& visitor, Holds& holds)
      : limits_(limits), visitor_(visitor), kept_(holds) {}

  void read_message(std::string_view bytes) {
    ProtobufReader message(bytes.data(), bytes.size());
    bool is_one = bytes.empty();
    while (message.next()) {
      switch (message.tag_and_type()) {
        case length_field(1):
          ++series_count_;
          read_series(to_view(message.get_view()));
          break;
        case length_field(3):
          read_metadata(message.get_message());
          break;
        default:
          pass_over(message, kOfRequest);
          continue;
      }
      is_one = true;
    }
    // Of the other version nothing is known here, and all of it would be passed over.
    if (!is_one) throw NothingKnown{};
  }
  /// The same of a message that is not there as a whole.
  void read_message(FieldStream message) {
    bool is_one = false;
    while (message.next()) {
      switch (message.tag_and_type()) {
        case length_field(1):
          ++series_count_;
          if (message.is_long())
            read_long_series(message.inside());
          else
            read_series(message.content());
          break;
        case length_field(3):
          if (message.is_long())
            read_long_metadata(message.inside());
          else
            read_metadata(message.field().get_message());
          break;
        default:
          message.pass_over(kOfRequest);
          continue;
      }
      is_one = true;
    }
    if (!is_one) throw NothingKnown{};
  }
  /// Counted from 0; nothing before the first series.
  std::optional<std::size_t> series() const {
    if (series_count_ == 0) return std::nullopt;
    return series_count_ - 1;
  }

 private:
  void begin_series() {
    series_.labels.clear();
    series_.samples.clear();
    series_.exemplars.clear();
    series_.histograms.clear();
    scattered_.clear();
    exemplar_labels_ = 0;
  }

  void read_series(std::string_view bytes) {
    begin_series();
    // The labels' bytes are the series' identity for who stores them. Encoders write them in one
    // run, which is viewed where it lies; only labels that stand apart are gathered.
    const std::size_t plain = plain_labels(bytes);
    const char* run_begin = plain > 0 ? bytes.data() : nullptr;
    const char* run_end = plain > 0 ? bytes.data() + plain : nullptr;
    ProtobufReader message(bytes.data() + plain, bytes.size() - plain);
    const auto position = [&] { return bytes.data() + bytes.size() - message.length(); };
    for (const char* begin = position(); message.next(); begin = position()) {
      if (message.tag_and_type() != length_field(1)) {
        read_series_field(message);
        continue;
      }
      message.skip();
      if (run_begin == nullptr) run_begin = begin;
      if (run_end != nullptr && run_end != begin && scattered_.empty())
        scattered_.assign(run_begin, run_end);
      if (!scattered_.empty()) scattered_.append(begin, position());
      run_end = position();
    }
    series_.label_bytes = {};
    if (!scattered_.empty())
      series_.label_bytes = scattered_;
    else if (run_begin != nullptr)
      series_.label_bytes = {run_begin, static_cast<std::size_t>(run_end - run_begin)};
    give();
  }

  // Of what a view is given must stay until all of it is read; the limits end it before.
  void read_long_series(FieldStream series) {
    begin_series();
    while (series.next()) {
      switch (series.tag_and_type()) {
        case length_field(1):
          if (scattered_.size() + series.field_bytes() > limits_.label_bytes_max)
            throw OverLimit{"bytes in the labels of a series"};
          kept_.count(series.field_bytes());
          series.append_to(scattered_);
          break;
        case length_field(3):
          expect_value_fits(series.content_bytes(), limits_);
          kept_.count(sizeof(ExemplarView));
          read_kept(series);
          kept_.count(series_.exemplars.back().labels.size() * sizeof(LabelView));
          break;
        case length_field(4):
          kept_.count(sizeof(HistogramView));
          if (series.content_bytes() <= limits_.histogram_max()) {
            read_kept(series);
          } else {
            expect_room();
            series_.histograms.push_back(read_long_histogram(series));
          }
          break;
        default:
          read_short(series);
      }
    }
    series_.label_bytes = scattered_;
    give();
    kept_.clear();
  }

  void read_kept(FieldStream& series) {
    ProtobufReader field(kept_.keep(series.bytes()));
    field.next();
    read_series_field(field);
  }

  void read_short(FieldStream& series) {
    if (series.tag_and_type() == length_field(2)) {
      expect_value_fits(series.content_bytes(), limits_);
      kept_.count(sizeof(Sample));
    }
    if (series.is_long()) return series.pass_over(kOfSeries);
    ProtobufReader field = series.field();
    read_series_field(field);
  }

  void expect_room() const {
    // An empty sample is two bytes on the wire and sixteen in memory.
    if (series_.samples.size() + series_.exemplars.size() + series_.histograms.size() ==
        limits_.values_max)
      throw OverLimit{"values in a series"};
  }

  void give() {
    if (series_.label_bytes.size() > limits_.label_bytes_max)
      throw OverLimit{"bytes in the labels of a series"};
    if (!visitor_.knows(series_.label_bytes))
      append_labels(series_.label_bytes, limits_.labels_max, series_.labels);
    visitor_.on_series(series_);
  }

  void read_series_field(ProtobufReader& message) {
    expect_room();
    switch (message.tag_and_type()) {
      case length_field(2):
        series_.samples.push_back(read_sample(value_of(message, limits_)));
        break;
      case length_field(3):
        series_.exemplars.push_back(read_exemplar(value_of(message, limits_)));
        break;
      case length_field(4):
        series_.histograms.push_back(
            read_histogram(to_view(message.get_view()), limits_.histogram_max()));
        break;
      default:
        pass_over(message, kOfSeries);
    }
  }

  ExemplarView read_exemplar(ProtobufReader message) {
    ExemplarView exemplar;
    while (message.next()) {
      switch (message.tag_and_type()) {
        case length_field(1):
          if (exemplar.labels.size() == limits_.labels_max)
            throw OverLimit{"labels in an exemplar"};
          if (exemplar_labels_++ == limits_.exemplar_labels_max)
            throw OverLimit{"labels in the exemplars of a series"};
          read_label(to_view(message.get_view()), exemplar.labels.emplace_back());
          break;
        case fixed64_field(2):
          exemplar.sample.value = normalized(message.get_double());
          break;
        case varint_field(3):
          exemplar.sample.timestamp_ms = message.get_int64();
          break;
        default:
          pass_over(message, kOfExemplar);
      }
    }
    return exemplar;
  }

  void read_metadata(ProtobufReader message) {
    MetadataView metadata;
    while (message.next()) {
      switch (message.tag_and_type()) {
        case varint_field(1):
          metadata.type = static_cast<std::uint32_t>(message.get_enum());
          break;
        case length_field(2):
          metadata.family = to_view(message.get_view());
          break;
        case length_field(4):
          metadata.help = to_view(message.get_view());
          break;
        case length_field(5):
          metadata.unit = to_view(message.get_view());
          break;
        default:
          pass_over(message, kOfMetadata);
      }
    }
    visitor_.on_metadata(metadata);
  }

  // More than anybody keeps of one of its texts is not looked at.
  void read_long_metadata(FieldStream message) {
    MetadataView metadata;
    std::array<std::string, 3> texts;
    const auto text = [&](std::size_t i) -> std::string_view {
      texts[i].clear();
      message.append_content_to(texts[i], limits_.value_bytes_max());
      return texts[i];
    };
    while (message.next()) {
      switch (message.tag_and_type()) {
        case varint_field(1):
          metadata.type = static_cast<std::uint32_t>(message.field().get_enum());
          break;
        case length_field(2):
          metadata.family = text(0);
          break;
        case length_field(4):
          metadata.help = text(1);
          break;
        case length_field(5):
          metadata.unit = text(2);
          break;
        default:
          message.pass_over(kOfMetadata);
      }
    }
    visitor_.on_metadata(metadata);
  }

  const DecodeLimits& limits_;
  WriteVisitor& visitor_;
  KeptBytes kept_;  // of a long series
  std::size_t series_count_ = 0;
  SeriesView series_;
  std::string scattered_;            // labels that did not stand in one run
  std::size_t exemplar_labels_ = 0;  // of series_
};

/// Of a message that is there, or that is unpacked meanwhile.
template <typename Message>
Result<void> decoded(Message message, const DecodeLimits& limits, WriteVisitor& visitor,
                     Holds& holds) {
  Decoder decoder(limits, visitor, holds);
  try {
    decoder.read_message(message);
    return {};
  } catch (const OverLimit& over) {
    return fail(ErrorCode::kTooLarge, "remote write: too many " + std::string(over.what));
  } catch (const NothingKnown&) {
    return fail(ErrorCode::kInvalid,
                "remote write: no field of a WriteRequest (1.0) is in the body; a Request of 2.0 "
                "has another Content-Type");
  } catch (const protozero::exception& damage) {
    return fail(ErrorCode::kInvalid, not_a("WriteRequest", decoder.series(), damage));
  }
}

}  // namespace

Result<void> decode_request(std::string_view body, const DecodeLimits& limits,
                            WriteVisitor& visitor) {
  const struct {
    const DecodeLimits& limits;
    WriteVisitor& visitor;
    Result<void> operator()(std::string_view message, Holds& holds) const {
      return decoded(message, limits, visitor, holds);
    }
    Result<void> operator()(SnappyReader& block, Holds& holds) const {
      return decoded(FieldStream(block, block.left()), limits, visitor, holds);
    }
  } read{limits, visitor};
  return read_body(body, limits, read);
}

Result<void> decode_message(std::string_view message, const DecodeLimits& limits,
                            WriteVisitor& visitor) {
  Holds holds({});
  return decoded(message, limits, visitor, holds);
}

std::vector<LabelView> read_labels(std::string_view label_bytes) {
  std::vector<LabelView> labels;
  try {
    append_labels(label_bytes, SIZE_MAX, labels);
  } catch (const protozero::exception&) {
    return labels;  // those before it are sound
  }
  return labels;
}

bool is_metric_name(std::string_view name) { return is_name(name); }

Result<void> check_labels(const std::vector<LabelView>& labels) {
  const auto invalid = [](std::string_view why, std::string_view name) {
    return fail(ErrorCode::kInvalid, std::string(why) + ": \"" + std::string(name) + "\"");
  };
  bool has_name = false;
  std::string_view previous;
  for (const LabelView& label : labels) {
    if (label.name == kNameLabel) {
      has_name = true;
      if (!is_name(label.value)) return invalid("not a metric name", label.value);
    } else if (!is_name(label.name)) {
      return invalid("not a label name", label.name);
    }
    if (label.value.empty()) return invalid("a label without a value", label.name);
    // Sorted and unique, as remote write demands: two orders of one set would be two series.
    if (&label != &labels.front() && label.name <= previous)
      return invalid(label.name == previous ? "a label stands twice" : "labels are not sorted",
                     label.name);
    previous = label.name;
  }
  if (!has_name) return fail(ErrorCode::kInvalid, "a series without a metric name");
  return {};
}

}  // namespace vigia::wire::remote_write
