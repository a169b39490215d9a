#include "libs/disk_log/segment_walk.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "libs/base/hex.hpp"
#include "libs/disk_log/segment_reader.hpp"

namespace vigia::disk_log {
namespace {

constexpr std::string_view kSegmentPrefix = "segment-";
constexpr std::string_view kSegmentSuffix = ".log";
constexpr std::size_t kNumberDigits = 16;

}  // namespace

std::string segment_path(const std::string& directory, std::uint64_t number) {
  return fmt::format("{}/{}{:016x}{}", directory, kSegmentPrefix, number, kSegmentSuffix);
}

std::optional<std::uint64_t> segment_number(std::string_view name) {
  if (name.size() != kSegmentPrefix.size() + kNumberDigits + kSegmentSuffix.size() ||
      !name.starts_with(kSegmentPrefix) || !name.ends_with(kSegmentSuffix))
    return std::nullopt;
  const auto bytes = from_hex(name.substr(kSegmentPrefix.size(), kNumberDigits));
  if (!bytes) return std::nullopt;
  std::uint64_t number = 0;
  for (const char c : *bytes) number = (number << 8U) | static_cast<unsigned char>(c);
  return number;
}

std::uint64_t bytes_after(const std::vector<Segment>& segments, LogPosition from) {
  std::uint64_t bytes = 0;
  for (const Segment& segment : segments) {
    if (segment.number < from.segment) continue;
    std::uint64_t begin = kSegmentHeaderBytes;
    if (segment.number == from.segment) begin = std::max(begin, from.offset);
    bytes += segment.bytes - std::min(segment.bytes, begin);
  }
  return bytes;
}

// Heads alone, since a start must not read the bodies of a log of many gigabytes. What cannot be
// read costs its own segment and is counted; only a disk that does not answer now ends the walk,
// for that is no damage.
Result<WalkDamage> walk_heads(FileSystem& files, const std::string& directory,
                              const std::vector<Segment>& segments, LogPosition from,
                              const std::function<bool(const RecordHeader&)>& visit) {
  WalkDamage damage;
  for (const Segment& segment : segments) {
    const std::vector<Segment> one{segment};
    const std::uint64_t wanted = bytes_after(one, from);
    if (wanted == 0) continue;
    auto file = files.open_to_read(segment_path(directory, segment.number));
    auto reader = file ? SegmentReader::open(*std::move(file), segment.number, ReadDepth::kHeads,
                                             segment.marker)
                       : Result<SegmentReader>(forward(file));
    if (!reader) {
      if (reader.error().code == ErrorCode::kUnavailable) return forward(reader);
      ++damage.passages;
      damage.unreadable_bytes += wanted;
      continue;
    }
    reader->pass_unreadable(true);
    if (segment.number == from.segment) reader->seek(from.offset);
    bool goes_on = true;
    for (;;) {
      auto found = reader->next(segment.bytes);
      if (!found) return forward(found);
      if (!found->has_value()) break;
      goes_on = visit((*found)->header);
      if (!goes_on) break;
    }
    damage.passages += reader->damaged();
    damage.unreadable_bytes += reader->unreadable_bytes();
    if (!goes_on) break;
  }
  return damage;
}

}  // namespace vigia::disk_log
