#include <algorithm>
#include <deque>
#include <string>

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
  Decoder2(const DecodeLimits& limits, const SymbolLimits& symbol_limits, WriteVisitor& visitor,
           Holds& holds)
      : limits_(limits),
        symbol_limits_(symbol_limits),
        visitor_(visitor),
        kept_(holds),
        kept_symbols_(holds) {}

  // Twice over the message: nothing says that the symbols stand before what refers to them.
  void read_message(std::string_view bytes) {
    ProtobufReader symbols(bytes.data(), bytes.size());
    while (symbols.next()) {
      if (symbols.tag_and_type() != length_field(4)) {
        symbols.skip();
        continue;
      }
      expect_room_for_symbol();
      symbols_.push_back(to_view(symbols.get_view()));
    }
    expect_first_symbol_empty();
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
  /// The same of a message that is not there as a whole: its symbols, which are kept. The body is
  /// unpacked once more for its series.
  void read_symbols(FieldStream message) {
    while (message.next()) {
      if (message.tag_and_type() != length_field(4)) continue;
      expect_room_for_symbol();
      kept_symbols_.count(sizeof(std::string_view));
      symbols_.push_back(kept_symbol(message));
    }
    expect_first_symbol_empty();
  }
  void read_series_of(FieldStream message) {
    bool is_one = !symbols_.empty();
    while (message.next()) {
      if (message.tag_and_type() != length_field(5)) {
        message.pass_over(kOfRequest);
        continue;
      }
      ++series_count_;
      is_one = true;
      if (message.is_long())
        read_long_series(message.inside());
      else
        read_series(message.field().get_message());
    }
    if (!is_one) throw NothingKnown{};
  }
  /// Counted from 0; nothing before the first series.
  std::optional<std::size_t> series() const {
    if (series_count_ == 0) return std::nullopt;
    return series_count_ - 1;
  }

 private:
  void expect_room_for_symbol() const {
    if (symbols_.size() == symbol_limits_.symbols_max) throw OverLimit{"symbols"};
  }
  void expect_first_symbol_empty() const {
    if (!symbols_.empty() && !symbols_.front().empty())
      throw Malformed{"the first symbol is not empty"};
  }

  // Of one that no label may have the first bytes, by which it is known to be too long.
  std::string_view kept_symbol(FieldStream& message) {
    if (message.content_bytes() <= limits_.value_bytes_max())
      return kept_symbols_.keep(message.content());
    const std::size_t bytes = std::min(message.content_bytes(), limits_.label_bytes_max + 1);
    kept_symbols_.count(bytes);
    std::string& symbol = long_symbols_.emplace_back();
    symbol.reserve(bytes);
    message.append_content_to(symbol, bytes);
    return symbol;
  }

  void begin_series() {
    series_.samples.clear();
    series_.exemplars.clear();
    series_.histograms.clear();
    series_.starts_ms.clear();
    references_.clear();
    exemplar_labels_ = 0;
    series_.metadata = {};
    created_ms_ = 0;
    fault_ = {};
  }

  void read_series(ProtobufReader message) {
    begin_series();
    while (message.next()) read_field(message);
    end_series();
  }

  // Of what a view is given must stay until all of it is read; the limits end it before.
  void read_long_series(FieldStream series) {
    begin_series();
    while (series.next()) {
      if (series.tag_and_type() == length_field(3)) {
        kept_.count(sizeof(HistogramView));
        read_histogram_of(series);
      } else if (series.is_long()) {
        pass_over_long(series);
      } else {
        if (series.tag_and_type() == length_field(2))
          kept_.count(sizeof(Sample) + sizeof(TimestampMs));
        if (series.tag_and_type() == length_field(4)) kept_.count(sizeof(ExemplarView));
        const std::size_t labels = exemplar_labels_;
        ProtobufReader field = series.field();
        read_field(field);
        kept_.count((exemplar_labels_ - labels) * sizeof(LabelView));
      }
    }
    end_series();
    kept_.clear();
  }

  void read_histogram_of(FieldStream& series) {
    if (series.content_bytes() > limits_.histogram_max()) {
      expect_room();
      series_.histograms.push_back(read_long_histogram(series));
      return;
    }
    ProtobufReader field(kept_.keep(series.bytes()));
    field.next();
    read_field(field);
  }

  static void pass_over_long(const FieldStream& series) {
    switch (series.tag_and_type()) {
      case length_field(1):
        throw OverLimit{"labels in a series"};
      case length_field(2):
      case length_field(4):
      case length_field(5):
        throw OverLimit{"bytes in a sample or an exemplar"};
      default:
        series.pass_over(kOfSeries);
    }
  }

  void read_field(ProtobufReader& message) {
    switch (message.tag_and_type()) {
      case varint_field(1):
      case length_field(1):
        read_references(message, references_);
        break;
      case length_field(5):
        series_.metadata = read_metadata(message.get_message());
        break;
      case varint_field(6):
        created_ms_ = message.get_int64();
        break;
      default:
        read_value(message);
    }
  }

  void end_series() {
    start_at(created_ms_);
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
    if (!fault_.empty())
      visitor_.on_bad_series(series_, fault_);
    else if (!series_.samples.empty() && !series_.histograms.empty())
      visitor_.on_bad_series(series_, "a series has samples and histograms in one request");
    else
      visitor_.on_series(series_);
  }

  void expect_room() const {
    if (series_.samples.size() + series_.exemplars.size() + series_.histograms.size() ==
        limits_.values_max)
      throw OverLimit{"values in a series"};
  }

  void read_value(ProtobufReader& message) {
    expect_room();
    switch (message.tag_and_type()) {
      case length_field(2):
        series_.starts_ms.push_back(0);
        series_.samples.push_back(
            read_sample(value_of(message, limits_), &series_.starts_ms.back()));
        break;
      case length_field(3):
        series_.histograms.push_back(
            read_histogram(to_view(message.get_view()), limits_.histogram_max()));
        break;
      case length_field(4):
        series_.exemplars.push_back(read_exemplar(value_of(message, limits_)));
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

  // Of the series under way: it is spoiled, and no other.
  std::string_view symbol(std::uint32_t reference) {
    if (reference < symbols_.size()) return symbols_[reference];
    fault_ = "a reference leads to no symbol";
    return {};
  }

  void resolve(const std::vector<std::uint32_t>& references, std::vector<LabelView>& labels) {
    if (references.size() % 2 != 0) fault_ = "a label has a name and no value";
    labels.clear();
    std::size_t bytes = 0;
    for (std::size_t i = 0; i + 1 < references.size(); i += 2) {
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

  MetadataView read_metadata(ProtobufReader message) {
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
  KeptBytes kept_;  // of a long series
  KeptBytes kept_symbols_;
  std::deque<std::string> long_symbols_;
  std::vector<std::string_view> symbols_;
  std::size_t resolved_bytes_ = 0;
  std::size_t series_count_ = 0;
  SeriesView series_;
  TimestampMs created_ms_ = 0;  // of series_
  std::string_view fault_;      // of series_, a literal; "": none
  std::string label_bytes_;     // of series_
  std::vector<std::uint32_t> references_;
  std::vector<std::uint32_t> exemplar_references_;
  std::size_t exemplar_labels_ = 0;  // of series_
};

template <typename Read>
Result<void> decoded(const Decoder2& decoder, const Read& read) {
  try {
    read();
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
  const struct {
    const DecodeLimits& limits;
    const SymbolLimits& symbols;
    WriteVisitor& visitor;
    Result<void> operator()(std::string_view message, Holds& holds) const {
      Decoder2 decoder(limits, symbols, visitor, holds);
      return decoded(decoder, [&] { decoder.read_message(message); });
    }
    // Nothing says that the symbols stand before what refers to them.
    Result<void> operator()(SnappyReader& block, Holds& holds) const {
      Decoder2 decoder(limits, symbols, visitor, holds);
      return decoded(decoder, [&] {
        decoder.read_symbols(FieldStream(block, block.left()));
        block.rewind();
        decoder.read_series_of(FieldStream(block, block.left()));
      });
    }
  } read{limits, symbols, visitor};
  return read_body(body, limits, read);
}

Result<void> decode_message_2(std::string_view message, const DecodeLimits& limits,
                              const SymbolLimits& symbols, WriteVisitor& visitor) {
  Holds holds({});
  Decoder2 decoder(limits, symbols, visitor, holds);
  return decoded(decoder, [&] { decoder.read_message(message); });
}

}  // namespace vigia::wire::remote_write
