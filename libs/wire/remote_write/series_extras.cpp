#include "libs/wire/remote_write/series_extras.hpp"

#include "libs/base/bytes.hpp"
#include "libs/model/labels.hpp"
#include "libs/wire/remote_write/metadata.hpp"

namespace vigia::wire::remote_write {
namespace {

constexpr char kTimeSeries = 0x0A;
// Fields of TimeSeries that the protocol does not have, of one byte each.
constexpr char kMetadata = 0x72;  // 14, bytes
constexpr char kStart = 0x79;     // 15, fixed64

/// Up to so many bytes, and no part of a character.
std::string_view cut(std::string_view text, std::size_t bytes_max) {
  if (text.size() <= bytes_max) return text;
  std::size_t end = bytes_max;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0U) == 0x80U) --end;
  return text.substr(0, end);
}

/// The metric's name among the labels that a series begins with; "" where there is none.
std::string_view metric_of(std::string_view series) {
  constexpr char kLabel = 0x0A;
  constexpr char kName = 0x0A;
  constexpr char kValue = 0x12;
  while (!series.empty() && series[0] == kLabel) {
    ByteReader fields(series.substr(1));
    ByteReader label(fields.read_sized());
    const bool has_name = label.read_u8() == kName;
    const std::string_view name = label.read_sized();
    const bool has_value = label.read_u8() == kValue;
    const std::string_view value = label.read_sized();
    if (!label.ok() || !has_name || !has_value) return {};
    if (name == kNameLabel) return value;
    series = fields.rest();
  }
  return {};
}

/// What the series before said, so that a metric's many series tell it once.
class Saying {
 public:
  bool is_new(std::string_view said, std::string_view series) {
    const std::string_view metric = metric_of(series);
    if (said == said_ && metric == metric_) return false;
    said_ = said;
    metric_ = metric;
    return true;
  }
  void tell(const OnSaid& on_said) const {
    auto metadata = read_extras(said_);
    if (!metadata || metric_.empty()) return;
    metadata->family = family_of(metadata->type, metric_);
    on_said(*metadata);
  }

 private:
  std::string_view said_, metric_;
};

}  // namespace

std::string encode_extras(const MetadataView& metadata) {
  if (!metadata.is_there()) return {};
  std::string inner;
  append_varint(inner, metadata.type);
  append_sized(inner, cut(metadata.help, kHelpBytesMax));
  append_sized(inner, cut(metadata.unit, kUnitBytesMax));
  std::string field(1, kMetadata);
  append_sized(field, inner);
  return field;
}

void append_start(std::string& extras, TimestampMs start_ms) {
  if (start_ms == 0) return;
  extras.push_back(kStart);
  append_u64(extras, static_cast<std::uint64_t>(start_ms));
}

std::optional<SeriesExtras> take_extras(std::string_view& series) {
  SeriesExtras extras;
  if (series.empty() || (series[0] != kMetadata && series[0] != kStart)) return extras;
  ByteReader reader(series);
  if (series[0] == kMetadata) {
    (void)reader.read_u8();
    extras.metadata = reader.read_sized();
  }
  if (reader.ok() && !reader.rest().empty() && reader.rest()[0] == kStart) {
    (void)reader.read_u8();
    extras.start_ms = static_cast<TimestampMs>(reader.read_u64());
  }
  if (!reader.ok()) return std::nullopt;
  series = reader.rest();
  return extras;
}

std::optional<MetadataView> read_extras(std::string_view metadata) {
  ByteReader reader(metadata);
  MetadataView view;
  view.type = static_cast<std::uint32_t>(reader.read_varint());
  view.help = reader.read_sized();
  view.unit = reader.read_sized();
  if (!reader.ok()) return std::nullopt;
  return view;
}

std::string strip_extras(std::string_view message, const OnSaid& on_said) {
  std::string stripped;
  stripped.reserve(message.size());
  Saying saying;
  for (std::string_view rest = message; !rest.empty();) {
    if (rest[0] != kTimeSeries) return std::string(message);
    ByteReader reader(rest.substr(1));
    std::string_view series = reader.read_sized();
    const auto extras = reader.ok() ? take_extras(series) : std::nullopt;
    if (!extras) return std::string(message);
    rest = reader.rest();
    if (on_said && !extras->metadata.empty() && saying.is_new(extras->metadata, series))
      saying.tell(on_said);
    stripped.push_back(kTimeSeries);
    append_sized(stripped, series);
  }
  return stripped;
}

}  // namespace vigia::wire::remote_write
