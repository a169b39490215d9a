// The bytes of the disk log: segment header, record, cursor file. docs/formats/disk-log.md has the
// tables.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "libs/base/result.hpp"
#include "libs/disk_log/disk_log.hpp"

namespace vigia::disk_log {

inline constexpr std::uint32_t kLogVersion = 1;
inline constexpr std::size_t kSegmentHeaderBytes = 64;  ///< two copies of 32
inline constexpr std::size_t kRecordPrefixBytes = 56;   ///< then owner, route, note, body
inline constexpr std::size_t kMarkerBytes = 8;

/// Stands at the front of a segment. `marker` is random: each record of the segment begins with it,
/// and since no sender knows it, no body can hold what looks like a record.
struct SegmentHeader {
  std::uint64_t number = 0;
  std::uint64_t marker = 0;
  /// Where the segment of the number before was closed; 0 where that is not known.
  std::uint32_t previous_end = 0;
};
std::string encode_segment_header(const SegmentHeader& header);
/// Either copy will do. kCorrupt where both are damaged, kInvalid for a later version.
Result<SegmentHeader> decode_segment_header(std::string_view bytes);

/// A body as it lies on disk.
struct StoredBody {
  std::string bytes;
  std::uint32_t plain_bytes = 0;  ///< size once the log's own LZ4 is undone
  bool is_lz4 = false;
  std::uint32_t checksum = 0;  ///< CRC-32C of `bytes`
};
/// Compresses a plain body where that makes it smaller, and leaves it as it is; any other is taken.
StoredBody pack_or_take(std::string& body, BodyEncoding encoding);
inline StoredBody pack_body(std::string body, BodyEncoding encoding) {
  return pack_or_take(body, encoding);
}
/// kCorrupt where the checksum or the LZ4 block is wrong.
Result<std::string> unpack_body(const StoredBody& body);

/// What stands before the body: prefix, owner, route, note. The header's log-set fields
/// `sequence` is written; position and next are not.
std::string encode_record_head(const RecordHeader& header, const StoredBody& body,
                               std::uint64_t marker);

/// A record's head as read from disk.
struct RecordHead {
  RecordHeader header;  ///< position and next unset
  StoredBody body;      ///< bytes not read yet
  std::uint32_t head_bytes = 0;
  std::uint32_t body_bytes = 0;
};
/// Sizes of the head, from the prefix alone and unchecked: at most what the limits allow, or
/// nothing where these bytes are no prefix.
std::optional<std::uint32_t> head_size(std::string_view prefix, std::uint64_t marker);
/// The length of the body, from the prefix alone and unchecked; nothing where a field holds what no
/// writer writes. REQUIRES: `prefix` holds kRecordPrefixBytes.
std::optional<std::uint32_t> unchecked_body_size(std::string_view prefix);
/// `head` holds at least head_size bytes. Nothing where the checksum or a field is wrong.
std::optional<RecordHead> decode_record_head(std::string_view head, std::uint64_t marker);

inline constexpr std::uint32_t kCursorFileVersion = 3;

/// The content of the file `cursors`.
struct CursorFile {
  struct CursorPlace {
    LogPosition position;
    std::uint64_t lost = 0;  ///< Cursor::lost
    bool operator==(const CursorPlace&) const = default;
  };
  std::uint64_t next_sequence = 1;
  std::map<std::string, CursorPlace, std::less<>> cursors;
  /// The newest segment was durable up to here; the default where there was none.
  LogPosition newest_end = {};
};
std::string encode_cursor_file(const CursorFile& file);
/// Reads version 1 too, which knows of no losses, and 2, which does not know where the newest
/// segment ends. kCorrupt where it is damaged.
Result<CursorFile> decode_cursor_file(std::string_view bytes);

}  // namespace vigia::disk_log
