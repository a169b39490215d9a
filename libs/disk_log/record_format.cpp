#include "libs/disk_log/record_format.hpp"

#include <algorithm>
#include <memory>

#include <fmt/format.h>
#include <lz4.h>

#include "libs/base/bytes.hpp"
#include "libs/base/check.hpp"
#include "libs/base/crc32c.hpp"

namespace vigia::disk_log {
namespace {

constexpr std::uint32_t kSegmentMagic = 0x474C4756;  // "VGLG"
constexpr std::uint32_t kCursorMagic = 0x55434756;   // "VGCU"
constexpr std::size_t kSegmentCopyBytes = kSegmentHeaderBytes / 2;
constexpr std::uint8_t kFlagLz4 = 1;
constexpr unsigned kRouteShift = 24;  // the route's length shares four bytes with the note's
constexpr std::uint32_t kNoteMask = (1U << kRouteShift) - 1;
static_assert(kNoteBytesMax <= kNoteMask);
// Far over what a configuration names; a damaged count must not ask for memory.
constexpr std::size_t kCursorsMax = 1024;
constexpr std::size_t kChecksummedFrom = kMarkerBytes + 4;  // the marker, then the checksum

std::uint32_t u32(std::size_t value) { return static_cast<std::uint32_t>(value); }

/// A thread's room to compress into. It is not filled first, and so takes memory only where LZ4 has
/// written.
constexpr std::size_t kRoomKeptMax = 4U << 20U;

/// Empty where LZ4 would not gain: random bytes are stored as they came. What comes out is as long
/// as its string, for up to 64 MiB of these wait to be written.
std::string lz4_block(std::string_view body) {
  thread_local std::unique_ptr<char[]> room;
  thread_local std::size_t room_bytes = 0;
  if (room_bytes < body.size()) {
    room_bytes = 0;
    room = std::make_unique_for_overwrite<char[]>(body.size());
    room_bytes = body.size();
  }
  const int bytes = LZ4_compress_default(body.data(), room.get(), static_cast<int>(body.size()),
                                         static_cast<int>(body.size() - 1));
  std::string packed(room.get(), static_cast<std::size_t>(std::max(bytes, 0)));
  if (room_bytes > kRoomKeptMax) {
    room.reset();
    room_bytes = 0;
  }
  return packed;
}

bool is_encoding(std::uint8_t value) { return value <= 3; }

}  // namespace

std::string encode_segment_header(const SegmentHeader& header) {
  std::string copy;
  append_u32(copy, kSegmentMagic);
  append_u32(copy, kLogVersion);
  append_u64(copy, header.number);
  append_u64(copy, header.marker);
  append_u32(copy, header.previous_end);
  append_u32(copy, crc32c(copy));
  return copy + copy;
}

Result<SegmentHeader> decode_segment_header(std::string_view bytes) {
  for (std::size_t i = 0; i + kSegmentCopyBytes <= bytes.size() && i < kSegmentHeaderBytes;
       i += kSegmentCopyBytes) {
    const std::string_view copy = bytes.substr(i, kSegmentCopyBytes);
    ByteReader reader(copy);
    // The checksum comes before the version: a flipped bit in the version must not read as a later
    // program's file, which would end the start.
    if (reader.read_u32() != kSegmentMagic) continue;
    const std::uint32_t version = reader.read_u32();
    SegmentHeader header;
    header.number = reader.read_u64();
    header.marker = reader.read_u64();
    header.previous_end = reader.read_u32();
    if (reader.read_u32() != crc32c(copy.substr(0, kSegmentCopyBytes - 4))) continue;
    if (version != kLogVersion)
      return fail(ErrorCode::kInvalid,
                  fmt::format("disk log segment of version {}, this program knows {}", version,
                              kLogVersion));
    return header;
  }
  return fail(ErrorCode::kCorrupt, "both copies of the segment's header are damaged");
}

StoredBody pack_or_take(std::string& body, BodyEncoding encoding) {
  StoredBody stored;
  stored.plain_bytes = u32(body.size());
  if (encoding == BodyEncoding::kPlain && !body.empty()) {
    stored.bytes = lz4_block(body);
    stored.is_lz4 = !stored.bytes.empty();
  }
  if (!stored.is_lz4) stored.bytes = std::move(body);
  stored.checksum = crc32c(stored.bytes);
  return stored;
}

Result<std::string> unpack_body(const StoredBody& body) {
  // Before LZ4 sees them: it checks its own bounds, and not whether the text is what was written.
  if (crc32c(body.bytes) != body.checksum)
    return fail(ErrorCode::kCorrupt, "a record's body does not match its checksum");
  if (!body.is_lz4) return body.bytes;
  std::string plain(body.plain_bytes, '\0');
  const int bytes =
      LZ4_decompress_safe(body.bytes.data(), plain.data(), static_cast<int>(body.bytes.size()),
                          static_cast<int>(plain.size()));
  if (bytes < 0 || static_cast<std::size_t>(bytes) != plain.size())
    return fail(ErrorCode::kCorrupt, "a record's body is no LZ4 block of the size it states");
  return plain;
}

std::string encode_record_head(const RecordHeader& header, const StoredBody& body,
                               std::uint64_t marker) {
  const RecordTag& tag = header.tag;
  CHECK(tag.owner.size() <= kOwnerBytesMax && tag.route.size() <= kRouteBytesMax &&
        tag.note.size() <= kNoteBytesMax);
  std::string checked;
  checked.reserve(kRecordPrefixBytes + tag.owner.size() + tag.route.size() + tag.note.size());
  append_u32(checked, u32(body.bytes.size()));
  append_u32(checked, body.plain_bytes);
  append_u32(checked, body.checksum);
  append_u32(checked, u32(tag.note.size() | (tag.route.size() << kRouteShift)));
  append_u32(checked, header.items);
  append_u64(checked, header.sequence);
  append_u64(checked, static_cast<std::uint64_t>(header.received_ms));
  append_u32(checked, header.rejected);
  checked.push_back(static_cast<char>(tag.kind));
  checked.push_back(static_cast<char>(header.encoding));
  checked.push_back(static_cast<char>(body.is_lz4 ? kFlagLz4 : 0));
  checked.push_back(static_cast<char>(tag.owner.size()));
  checked += tag.owner;
  checked += tag.route;
  checked += tag.note;
  std::string head;
  head.reserve(kChecksummedFrom + checked.size());
  // The marker stands outside the checksum: it is compared as a whole by whoever looks for a head.
  append_u64(head, marker);
  append_u32(head, crc32c(checked));
  head += checked;
  return head;
}

/// How much to read before the checksum can be looked at. Nothing here is checked yet: the sizes
/// are bounded by their fields, so damage asks for 16 MiB (the note) and some bytes at most.
std::optional<std::uint32_t> head_size(std::string_view prefix, std::uint64_t marker) {
  if (prefix.size() < kRecordPrefixBytes) return std::nullopt;
  ByteReader reader(prefix);
  if (reader.read_u64() != marker) return std::nullopt;
  reader.read_bytes(16);  // checksum, stored, plain, body checksum
  const std::uint32_t lengths = reader.read_u32();
  const auto owner = static_cast<std::uint8_t>(prefix[kRecordPrefixBytes - 1]);
  if (owner > kOwnerBytesMax) return std::nullopt;
  return u32(kRecordPrefixBytes) + owner + (lengths >> kRouteShift) + (lengths & kNoteMask);
}

std::optional<std::uint32_t> unchecked_body_size(std::string_view prefix) {
  ByteReader reader(prefix.substr(kChecksummedFrom));
  const std::uint32_t body_bytes = reader.read_u32();
  const std::uint32_t plain_bytes = reader.read_u32();
  reader = ByteReader(prefix.substr(kRecordPrefixBytes - 3));
  const std::uint8_t encoding = reader.read_u8();
  const std::uint8_t flags = reader.read_u8();
  if (body_bytes > kRecordBytesMax || plain_bytes > kRecordBytesMax || !is_encoding(encoding) ||
      flags > kFlagLz4)
    return std::nullopt;
  return body_bytes;
}

std::optional<RecordHead> decode_record_head(std::string_view head, std::uint64_t marker) {
  const auto size = head_size(head, marker);
  if (!size || head.size() < *size) return std::nullopt;
  ByteReader reader(head.substr(0, *size));
  reader.read_u64();
  if (reader.read_u32() != crc32c(head.substr(kChecksummedFrom, *size - kChecksummedFrom)))
    return std::nullopt;
  const std::uint32_t body_bytes = reader.read_u32();
  const std::uint32_t plain_bytes = reader.read_u32();
  const std::uint32_t body_checksum = reader.read_u32();
  const std::uint32_t lengths = reader.read_u32();
  const std::uint32_t items = reader.read_u32();
  const std::uint64_t sequence = reader.read_u64();
  const auto received_ms = static_cast<std::int64_t>(reader.read_u64());
  const std::uint32_t rejected = reader.read_u32();
  const std::uint8_t kind = reader.read_u8();
  const std::uint8_t encoding = reader.read_u8();
  const std::uint8_t flags = reader.read_u8();
  const std::uint8_t owner_bytes = reader.read_u8();
  const std::string_view owner = reader.read_bytes(owner_bytes);
  const std::string_view route = reader.read_bytes(lengths >> kRouteShift);
  const std::string_view note = reader.read_bytes(lengths & kNoteMask);
  // The checksum is right, so this is not damage but a program with other rules: skipped and
  // counted as damage all the same, rather than taken for what it is not. What owner and kind mean
  // is the reader's to say (Cursor::pass_over).
  if (!reader.ok() || !is_encoding(encoding) || flags > kFlagLz4 || body_bytes > kRecordBytesMax ||
      plain_bytes > kRecordBytesMax)
    return std::nullopt;
  RecordHead result{.header = {.tag = {.owner = std::string(owner),
                                       .kind = kind,
                                       .route = std::string(route),
                                       .note = std::string(note)},
                               .encoding = static_cast<BodyEncoding>(encoding),
                               .items = items,
                               .rejected = rejected,
                               .received_ms = received_ms,
                               .sequence = sequence,
                               .position = {},
                               .next = {},
                               .stored_bytes = *size + body_bytes},
                    .body = {.bytes = {},
                             .plain_bytes = plain_bytes,
                             .is_lz4 = flags == kFlagLz4,
                             .checksum = body_checksum},
                    .head_bytes = *size,
                    .body_bytes = body_bytes};
  return result;
}

std::string encode_cursor_file(const CursorFile& file) {
  std::string bytes;
  append_u32(bytes, kCursorMagic);
  append_u32(bytes, kCursorFileVersion);
  append_u64(bytes, file.next_sequence);
  append_u32(bytes, u32(file.cursors.size()));
  for (const auto& [name, place] : file.cursors) {
    append_sized(bytes, name);
    append_u64(bytes, place.position.segment);
    append_u64(bytes, place.position.offset);
    append_u64(bytes, place.lost);
  }
  append_u64(bytes, file.newest_end.segment);
  append_u64(bytes, file.newest_end.offset);
  append_u32(bytes, crc32c(bytes));
  return bytes;
}

Result<CursorFile> decode_cursor_file(std::string_view bytes) {
  const auto corrupt = [] { return fail(ErrorCode::kCorrupt, "the file of cursors is damaged"); };
  if (bytes.size() < 4) return corrupt();
  ByteReader sum(bytes.substr(bytes.size() - 4));
  const std::string_view content = bytes.substr(0, bytes.size() - 4);
  // The file is replaced by rename, so a torn one means that the device failed. Half of it would
  // move some cursors and leave others: it is taken as a whole or not at all.
  if (sum.read_u32() != crc32c(content)) return corrupt();
  ByteReader reader(content);
  if (reader.read_u32() != kCursorMagic) return corrupt();
  const std::uint32_t version = reader.read_u32();
  if (version == 0 || version > kCursorFileVersion) return corrupt();
  CursorFile file;
  file.next_sequence = reader.read_u64();
  const std::uint32_t count = reader.read_u32();
  if (count > kCursorsMax) return corrupt();
  for (std::uint32_t i = 0; i < count; ++i) {
    const std::string name(reader.read_sized());
    CursorFile::CursorPlace& place = file.cursors[name];
    place.position.segment = reader.read_u64();
    place.position.offset = reader.read_u64();
    // Missing fields stay 0: nothing lost that is known, and no end that is known.
    if (version >= 2) place.lost = reader.read_u64();
  }
  if (version >= 3) {
    file.newest_end.segment = reader.read_u64();
    file.newest_end.offset = reader.read_u64();
  }
  if (!reader.ok() || !reader.rest().empty()) return corrupt();
  return file;
}

}  // namespace vigia::disk_log
