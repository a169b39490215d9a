// What is set aside for one customer, as it lies on disk. docs/formats/side-queue.md has the
// tables.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "libs/base/result.hpp"
#include "libs/model/ids.hpp"
#include "libs/model/signal.hpp"
#include "services/collector/bodies/log_body.hpp"
#include "services/collector/delivery/packer.hpp"
#include "services/collector/delivery/parcel.hpp"

namespace vigia::collector::side {

/// Read are all from 1 on. From 3 on the head's checksum covers the version, in every later one
/// too.
inline constexpr std::uint32_t kSideVersion = 4;
inline constexpr std::size_t kSideHeadBytesMax = 256;
inline constexpr std::uint64_t kEntryPlainBytesMax = 256ULL << 20U;

/// A record, or what is left of one. Bodies are large, so they are never copied.
struct SideRecord {
  std::uint32_t items = 0;
  std::uint32_t rejected = 0;
  std::string verdicts = {};
  delivery::Place from = {};
  disk_log::BodyEncoding encoding = disk_log::BodyEncoding::kPlain;  ///< by its sender
  std::uint32_t lz4_bytes = 0;   ///< what it is once the LZ4 is undone; 0: there is none
  std::string_view stored = {};  ///< as the disk log stores it
  std::shared_ptr<const std::string> room = {};  ///< what that views; shared by all read at once
  std::string opened = {};                       ///< plain, where what is stored is not

  /// As the log packs it: what goes aside takes no more than it took there, where a body of some
  /// KiB may be many MiB.
  void pack(bodies::LogBody body);
  /// An error is damage.
  Result<void> open();
  /// Once opened.
  std::string_view plain() const { return is_packed() ? std::string_view(opened) : stored; }
  delivery::OtlpRecord view() const { return {items, rejected, verdicts, plain()}; }

 private:
  bool is_packed() const { return lz4_bytes > 0 || encoding != disk_log::BodyEncoding::kPlain; }
};

/// What is known of an entry without its content.
struct SideHead {
  CustomerId customer;
  Signal signal = Signal::kMetrics;
  delivery::Parcel::SearchStage stage = delivery::Parcel::SearchStage::kFresh;
  bool holds_records = false;
  std::int64_t received_ms = 0;     ///< of the oldest in it, by the collector's wall clock
  std::uint64_t items = 0;          ///< accepted ones that wait in it
  std::uint64_t content_bytes = 0;  ///< in the file
  /// Units as one LZ4 block: values of few series, which differ in little.
  bool is_packed = false;
  std::uint64_t plain_bytes = 0;  ///< of the content once it is unpacked
};

/// Of units that have failed alone.
inline bool is_suspect(const SideHead& head) {
  return head.stage != delivery::Parcel::SearchStage::kFresh;
}

/// Either units that are encoded already, or records that are not.
struct SideEntry {
  SideHead head;
  delivery::Parcel parcel;
  std::vector<SideRecord> records;
};

/// An entry's file, in pieces that view the entry or lie in `made`.
struct SideBytes {
  std::deque<std::string> made;
  std::vector<std::string_view> parts;
};
std::uint64_t size_of(const SideBytes& bytes);
/// Sets the head's sizes and holds_records by the content. Units are packed where the head says so
/// and it makes them less.
SideBytes encode_side_entry(SideEntry& entry);
/// From the first kSideHeadBytesMax bytes or more. kCorrupt where it is damaged, kInvalid for a
/// later version. kEntryPlainBytesMax is the most that an entry may say it becomes.
Result<SideHead> decode_side_head(std::string_view bytes);
Result<SideEntry> decode_side_entry(std::string bytes);

}  // namespace vigia::collector::side
