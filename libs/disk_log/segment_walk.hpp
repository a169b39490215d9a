// Walks the heads of records over several segments, bodies unread.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "libs/disk_log/disk_log.hpp"

namespace vigia::disk_log {

/// What is known of a segment.
struct Segment {
  std::uint64_t number = 0;
  std::uint64_t bytes = 0;  ///< durable
  bool is_active = false;
  std::optional<std::uint64_t> marker = {};  ///< nothing where the header could not be read
};

std::string segment_path(const std::string& directory, std::uint64_t number);
/// The number in a segment's file name; nothing where it is no such name.
std::optional<std::uint64_t> segment_number(std::string_view name);

/// Bytes of records that lie at or after `from`.
std::uint64_t bytes_after(const std::vector<Segment>& segments, LogPosition from);

/// What a walk has passed over.
struct WalkDamage {
  std::uint64_t passages = 0;
  std::uint64_t unreadable_bytes = 0;  ///< of these passages, what the device could not read
};

/// Calls `visit` for each record at or after `from`, until it returns false or the segments end.
/// Damage, and what the device cannot read, is skipped at once, a whole segment where it cannot be
/// opened. kUnavailable where a file can't be opened or read for a reason that may pass. Reads the
/// disk: call it without a lock that others wait for.
Result<WalkDamage> walk_heads(FileSystem& files, const std::string& directory,
                              const std::vector<Segment>& segments, LogPosition from,
                              const std::function<bool(const RecordHeader&)>& visit);

}  // namespace vigia::disk_log
