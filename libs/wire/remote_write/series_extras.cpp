#include "libs/wire/remote_write/series_extras.hpp"

#include "libs/base/bytes.hpp"

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

std::string strip_extras(std::string_view message) {
  std::string stripped;
  stripped.reserve(message.size());
  for (std::string_view rest = message; !rest.empty();) {
    if (rest[0] != kTimeSeries) return std::string(message);
    ByteReader reader(rest.substr(1));
    std::string_view series = reader.read_sized();
    if (!reader.ok() || !take_extras(series)) return std::string(message);
    rest = reader.rest();
    stripped.push_back(kTimeSeries);
    append_sized(stripped, series);
  }
  return stripped;
}

}  // namespace vigia::wire::remote_write
