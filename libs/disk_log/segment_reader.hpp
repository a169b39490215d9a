// Walks the records of one segment, over damage where there is some.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "libs/base/result.hpp"
#include "libs/disk_log/file_system.hpp"
#include "libs/disk_log/record_format.hpp"

namespace vigia::disk_log {

/// A record that was found. `body` is an error (kCorrupt) where the head is right and the body is
/// not; it is empty in a walk that reads heads only.
struct FoundRecord {
  RecordHeader header;
  Result<std::string> body;
};

/// What a walk reads: whole records, or heads only.
enum class ReadDepth { kWhole, kHeads };

/// Thread contract: one thread at a time.
class SegmentReader {
 public:
  /// Reads the segment's header. Where both copies are damaged the marker is taken from the first
  /// record, if that one is sound; if it is not, the segment reads as one damaged passage.
  /// A marker that is known already spares the reading of the header.
  static Result<SegmentReader> open(std::unique_ptr<File> file, std::uint64_t number,
                                    ReadDepth depth, std::optional<std::uint64_t> marker = {});

  /// The next record that begins at or after `offset()` and ends at or before `limit`, skipping
  /// damage (each passage counted once in `damaged()`). Nothing at the limit, nor where a record
  /// has begun that the limit cuts: a kill within a write leaves that, and nobody was told that it
  /// is kept (`has_cut_end()`). What the device
  /// cannot read is an error, kCorrupt, the place kept; or damage like any other: a record whose
  /// body is concerned is found without it, a head that is concerned is skipped, in steps of a
  /// page.
  Result<std::optional<FoundRecord>> next(std::uint64_t limit);
  void pass_unreadable(bool passes) { passes_unreadable_ = passes; }
  void seek(std::uint64_t offset);
  std::uint64_t offset() const { return offset_; }
  std::uint64_t number() const { return number_; }
  std::optional<std::uint64_t> marker() const { return marker_; }
  /// SegmentHeader::previous_end; 0 where the header was not read.
  std::uint32_t previous_end() const { return previous_end_; }
  /// Of what was skipped, what the device could not read: at least so many bytes as the records
  /// that may be hidden there.
  std::uint64_t unreadable_bytes() const { return unreadable_bytes_; }
  /// The last record has a beginning and no end, and that is where a page ends. False of damage: a
  /// record whose bytes were changed and not cut off, whichever they are, ends where it did.
  bool has_cut_end() const { return has_cut_end_; }
  /// Damaged passages met so far.
  std::uint64_t damaged() const { return damaged_; }

 private:
  SegmentReader(std::unique_ptr<File> file, std::uint64_t number, ReadDepth depth);
  Result<void> learn_marker();
  bool passes(const Error& error) const {
    return passes_unreadable_ && error.code == ErrorCode::kCorrupt;
  }
  /// The bytes [offset, offset + count), or as many of them as lie before `limit`.
  Result<std::string_view> view(std::uint64_t offset, std::size_t count, std::uint64_t limit);
  Result<std::optional<RecordHead>> read_head(std::uint64_t offset, std::uint64_t limit);
  Result<std::uint64_t> find_marker(std::uint64_t from, std::uint64_t limit);
  bool is_cut(std::uint64_t limit);
  Result<FoundRecord> take(RecordHead head, std::uint64_t limit);

  std::unique_ptr<File> file_;
  std::uint64_t number_;
  ReadDepth depth_;
  std::optional<std::uint64_t> marker_;
  std::uint32_t previous_end_ = 0;
  std::uint64_t offset_ = kSegmentHeaderBytes;
  std::uint64_t damaged_ = 0;
  bool has_cut_end_ = false;
  bool passes_unreadable_ = false;
  std::uint64_t unreadable_bytes_ = 0;
  std::uint64_t careful_until_ = 0;  // a read of what lies before has failed: no more than needed
  std::string window_;
  std::uint64_t window_start_ = 0;
};

}  // namespace vigia::disk_log
