#include <algorithm>

#include "libs/base/protobuf_reader.hpp"
#include "libs/wire/remote_write/write_fields.hpp"
#include "libs/wire/remote_write/write_request_2.hpp"

namespace vigia::wire::remote_write {
namespace {

constexpr KnownFields kOfRequest{length_field(4), length_field(5)};
constexpr KnownFields kOfSeries{varint_field(1), length_field(1), length_field(2), length_field(3),
                                length_field(4), length_field(5), varint_field(6)};
constexpr KnownFields kOfExemplar{varint_field(1), length_field(1), fixed64_field(2),
                                  varint_field(3)};
constexpr KnownFields kOfMetadata{varint_field(1), varint_field(3), varint_field(4)};

struct Malformed {
  std::string_view what;
};

/// Reads series into room that is used again and again.
class Decoder2 {
 public:
  Decoder2(const DecodeLimits& limits, const SymbolLimits& symbol_limits, WriteVisitor& visitor)
      : limits_(limits), symbol_limits_(symbol_limits), visitor_(visitor) {}

  // Twice over the message: nothing says that the symbols stand before what refers to them.
  void read_message(std::string_view bytes) {
    ProtobufReader symbols(bytes.data(), bytes.size());
    while (symbols.next()) {
      if (symbols.tag_and_type() != length_field(4)) {
        symbols.skip();
        continue;
      }
      if (symbols_.size() == symbol_limits_.symbols_max) throw OverLimit{"symbols"};
      symbols_.push_back(to_view(symbols.get_view()));
    }
    if (!symbols_.empty() && !symbols_.front().empty())
      throw Malformed{"the first symbol is not empty"};
    ProtobufReader message(bytes.data(), bytes.size());
    while (message.next()) {
      if (message.tag_and_type() == length_field(5)) {
        ++series_count_;
        read_series(message.get_message());
      } else {
        pass_over(message, kOfRequest);
      }
    }
    // Of the other version nothing is known here, and all of it would be passed over.
    if (!bytes.empty() && symbols_.empty() && series_count_ == 0) throw NothingKnown{};
  }
  /// Counted from 0; nothing before the first series.
  std::optional<std::size_t> series() const {
    if (series_count_ == 0) return std::nullopt;
    return series_count_ - 1;
  }

 private:
  void read_series(ProtobufReader message) {
    series_.samples.clear();
    series_.exemplars.clear();
    series_.histograms.clear();
    series_.starts_ms.clear();
    references_.clear();
    exemplar_labels_ = 0;
    series_.metadata = {};
    TimestampMs created_ms = 0;
    while (message.next()) {
      switch (message.tag_and_type()) {
        case varint_field(1):
        case length_field(1):
          read_references(message, references_);
          break;
        case length_field(5):
          series_.metadata = read_metadata(message.get_message());
          break;
        case varint_field(6):
          created_ms = message.get_int64();
          break;
        default:
          read_value(message);
      }
    }
    start_at(created_ms);
    resolve(references_, series_.labels);
    encode_labels();
    give();
  }

  // What says nothing of its own begins with its series.
  void start_at(TimestampMs created_ms) {
    if (created_ms == 0) return;
    for (TimestampMs& start_ms : series_.starts_ms) {
      if (start_ms == 0) start_ms = created_ms;
    }
    for (HistogramView& histogram : series_.histograms) {
      if (histogram.start_ms == 0) histogram.start_ms = created_ms;
    }
  }

  void give() {
    if (series_.metadata.is_there()) {
      for (const LabelView& label : series_.labels) {
        if (label.name == kNameLabel) series_.metadata.family = label.value;
      }
    }
    if (!series_.samples.empty() && !series_.histograms.empty())
      visitor_.on_bad_series(series_, "a series has samples and histograms in one request");
    else
      visitor_.on_series(series_);
  }

  void read_value(ProtobufReader& message) {
    if (series_.samples.size() + series_.exemplars.size() + series_.histograms.size() ==
        limits_.values_max)
      throw OverLimit{"values in a series"};
    switch (message.tag_and_type()) {
      case length_field(2):
        series_.starts_ms.push_back(0);
        series_.samples.push_back(read_sample(message.get_message(), &series_.starts_ms.back()));
        break;
      case length_field(3):
        series_.histograms.push_back(read_histogram(to_view(message.get_view())));
        break;
      case length_field(4):
        series_.exemplars.push_back(read_exemplar(message.get_message()));
        break;
      default:
        pass_over(message, kOfSeries);
    }
  }

  // Packed, or one by one.
  void read_references(ProtobufReader& message, std::vector<std::uint32_t>& references) const {
    const auto add = [&](std::uint32_t reference) {
      if (references.size() == limits_.labels_max * 2) throw OverLimit{"labels in a series"};
      references.push_back(reference);
    };
    if (message.wire_type() != protozero::pbf_wire_type::length_delimited)
      return add(message.get_uint32());
    for (const std::uint32_t reference : message.get_packed_uint32()) add(reference);
  }

  std::string_view symbol(std::uint32_t reference) const {
    if (reference >= symbols_.size()) throw Malformed{"a reference leads to no symbol"};
    return symbols_[reference];
  }

  void resolve(const std::vector<std::uint32_t>& references, std::vector<LabelView>& labels) {
    if (references.size() % 2 != 0) throw Malformed{"a label has a name and no value"};
    labels.clear();
    std::size_t bytes = 0;
    for (std::size_t i = 0; i < references.size(); i += 2) {
      labels.push_back({symbol(references[i]), symbol(references[i + 1])});
      bytes += labels.back().name.size() + labels.back().value.size();
    }
    if (bytes > limits_.label_bytes_max) throw OverLimit{"bytes in the labels of a series"};
    resolved_bytes_ += bytes;
    if (resolved_bytes_ > symbol_limits_.label_bytes_max)
      throw OverLimit{"bytes in the labels of all series"};
  }

  void encode_labels() {
    label_bytes_.clear();
    for (const LabelView& label : series_.labels)
      append_label(label_bytes_, label.name, label.value);
    if (label_bytes_.size() > limits_.label_bytes_max)
      throw OverLimit{"bytes in the labels of a series"};
    series_.label_bytes = label_bytes_;
  }

  ExemplarView read_exemplar(ProtobufReader message) {
    ExemplarView exemplar;
    exemplar_references_.clear();
    while (message.next()) {
      switch (message.tag_and_type()) {
        case varint_field(1):
        case length_field(1):
          read_references(message, exemplar_references_);
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
    exemplar_labels_ += exemplar_references_.size() / 2;
    if (exemplar_labels_ > limits_.exemplar_labels_max)
      throw OverLimit{"labels in the exemplars of a series"};
    resolve(exemplar_references_, exemplar.labels);
    return exemplar;
  }

  MetadataView read_metadata(ProtobufReader message) const {
    MetadataView metadata;
    while (message.next()) {
      switch (message.tag_and_type()) {
        case varint_field(1):
          metadata.type = static_cast<std::uint32_t>(message.get_enum());
          break;
        case varint_field(3):
          metadata.help = symbol(message.get_uint32());
          break;
        case varint_field(4):
          metadata.unit = symbol(message.get_uint32());
          break;
        default:
          pass_over(message, kOfMetadata);
      }
    }
    return metadata;
  }

  const DecodeLimits& limits_;
  const SymbolLimits& symbol_limits_;
  WriteVisitor& visitor_;
  std::vector<std::string_view> symbols_;
  std::size_t resolved_bytes_ = 0;
  std::size_t series_count_ = 0;
  SeriesView series_;
  std::string label_bytes_;  // of series_
  std::vector<std::uint32_t> references_;
  std::vector<std::uint32_t> exemplar_references_;
  std::size_t exemplar_labels_ = 0;  // of series_
};

}  // namespace

std::optional<WriteVersion> version_of(std::string_view type, std::string_view message,
                                       std::string_view coding) {
  const auto is_letter = [](char left, char right) {
    return left == (right >= 'A' && right <= 'Z' ? static_cast<char>(right - 'A' + 'a') : right);
  };
  const bool is_snappy = std::equal(kContentEncoding.begin(), kContentEncoding.end(),
                                    coding.begin(), coding.end(), is_letter);
  if (type != kContentType || !is_snappy) return std::nullopt;
  if (message.empty() || message == kMessage1) return WriteVersion::k1;
  if (message == kMessage2) return WriteVersion::k2;
  return std::nullopt;
}

std::string_view versions_there_are() {
  return "taken here, in a snappy block: application/x-protobuf, or "
         "application/x-protobuf;proto=prometheus.WriteRequest (remote write 1.0), or "
         "application/x-protobuf;proto=io.prometheus.write.v2.Request (2.0)";
}

Result<void> decode_request_2(std::string_view body, const DecodeLimits& limits,
                              const SymbolLimits& symbols, WriteVisitor& visitor) {
  const auto message = unpack_block(body, limits);
  if (!message) return forward(message);
  return decode_message_2(*message, limits, symbols, visitor);
}

Result<void> decode_message_2(std::string_view message, const DecodeLimits& limits,
                              const SymbolLimits& symbols, WriteVisitor& visitor) {
  Decoder2 decoder(limits, symbols, visitor);
  try {
    decoder.read_message(message);
    return {};
  } catch (const OverLimit& over) {
    return fail(ErrorCode::kTooLarge, "remote write: too many " + std::string(over.what));
  } catch (const Malformed& malformed) {
    return fail(ErrorCode::kInvalid, "remote write: " + std::string(malformed.what));
  } catch (const NothingKnown&) {
    return fail(ErrorCode::kInvalid,
                "remote write: no field of a Request (2.0) is in the body; a WriteRequest of 1.0 "
                "has another Content-Type");
  } catch (const protozero::exception& damage) {
    return fail(ErrorCode::kInvalid, not_a("2.0 Request", decoder.series(), damage));
  }
}

}  // namespace vigia::wire::remote_write
