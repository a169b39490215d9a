#include "services/collector/side/side_entry.hpp"

#include <algorithm>
#include <optional>
#include <unordered_map>
#include <utility>

#include <fmt/format.h>
#include <lz4.h>

#include "libs/base/bytes.hpp"
#include "libs/base/crc32c.hpp"
#include "libs/disk_log/record_format.hpp"
#include "libs/model/customer_signal.hpp"

namespace vigia::collector::side {
namespace {

constexpr std::uint32_t kChecksummedVersion = 3;
constexpr std::uint32_t kAsInLogVersion = 4;
constexpr std::string_view kMagic = "VGSQ";
constexpr std::size_t kUnitBytesMin = 4;  // four varints of a unit
constexpr std::uint8_t kRecords = 1;
constexpr std::uint8_t kPackedUnits = 2;
constexpr std::uint8_t kRecordsAsInLog = 3;
constexpr std::uint8_t kStageMax =
    static_cast<std::uint8_t>(delivery::Parcel::SearchStage::kLastTry);

std::uint64_t to_zigzag(std::int64_t value) {
  return (static_cast<std::uint64_t>(value) << 1U) ^ static_cast<std::uint64_t>(value >> 63U);
}
std::int64_t from_zigzag(std::uint64_t value) {
  return static_cast<std::int64_t>((value >> 1U) ^ (~(value & 1U) + 1U));
}

void add(SideBytes& out, std::string bytes) {
  // Parts view it: `made` is a deque, which never moves what is in it.
  out.made.push_back(std::move(bytes));
  out.parts.emplace_back(out.made.back());
}

/// Numbers of items are their records', of which a unit's file says nothing: where units are of
/// several records, the items of all of them are numbered anew.
class ItemNumbers {
 public:
  explicit ItemNumbers(const std::vector<delivery::Unit>& units)
      : are_of_one_(std::all_of(units.begin(), units.end(), [&](const delivery::Unit& unit) {
          return unit.record == units.front().record;
        })) {}
  std::uint32_t of(const delivery::Unit& unit) {
    if (are_of_one_ || unit.item == delivery::Unit::kNoItem || unit.item == delivery::Unit::kBody)
      return unit.item;
    const auto next = static_cast<std::uint32_t>(numbers_.size());
    return numbers_.try_emplace((std::uint64_t{unit.record} << 32U) | unit.item, next)
        .first->second;
  }

 private:
  const bool are_of_one_;
  std::unordered_map<std::uint64_t, std::uint32_t> numbers_;
};

void add_parcel(SideBytes& out, const delivery::Parcel& parcel) {
  std::string units;
  ItemNumbers numbers(parcel.units);
  append_varint(units, parcel.units.size());
  for (std::size_t i = 0; i < parcel.units.size(); ++i) {
    const delivery::Unit& unit = parcel.units[i];
    append_varint(units, parcel.run(i, i + 1).size());
    append_varint(units, unit.items);
    append_varint(units, numbers.of(unit));
    append_varint(units, to_zigzag(unit.timestamp_ms));
  }
  add(out, std::move(units));
  out.parts.emplace_back(parcel.message);
}

void add_records(SideBytes& out, const std::vector<SideRecord>& records) {
  std::string front;
  append_varint(front, records.size());
  for (const SideRecord& record : records) {
    append_varint(front, record.items);
    append_varint(front, record.rejected);
    append_varint(front, record.from.item);
    append_varint(front, record.from.part);
    append_sized(front, record.verdicts);
    front += static_cast<char>(record.encoding);
    append_varint(front, record.lz4_bytes);
    append_varint(front, record.stored.size());
    add(out, std::exchange(front, {}));
    out.parts.push_back(record.stored);
  }
}

/// The parts as one LZ4 block, where that is less.
void pack(SideBytes& out, SideHead& head) {
  std::string plain;
  for (const std::string_view part : out.parts) plain += part;
  std::string packed(plain.size(), '\0');
  const int bytes =
      plain.size() > kEntryPlainBytesMax
          ? 0
          : LZ4_compress_default(plain.data(), packed.data(), static_cast<int>(plain.size()),
                                 static_cast<int>(packed.size()));
  head.is_packed = bytes > 0;
  if (!head.is_packed) return;
  packed.resize(static_cast<std::size_t>(bytes));
  packed.shrink_to_fit();
  out.parts.resize(1);  // the head's
  out.made.resize(1);
  add(out, std::move(packed));
}

Result<std::string> undo_lz4(std::string_view block, std::uint64_t plain_bytes) {
  std::string plain(plain_bytes, '\0');
  const int bytes = LZ4_decompress_safe(block.data(), plain.data(), static_cast<int>(block.size()),
                                        static_cast<int>(plain.size()));
  if (bytes < 0 || static_cast<std::size_t>(bytes) != plain.size())
    return fail(ErrorCode::kCorrupt, "the content is no LZ4 block of the size it states");
  return plain;
}

bool decode_parcel(std::string_view content, SideEntry& entry) {
  ByteReader reader(content);
  const std::uint64_t count = reader.read_varint();
  // Before room is taken for what a damaged count says.
  if (count > content.size() / kUnitBytesMin) return false;
  entry.parcel.units.reserve(count);
  std::size_t begin = 0;
  for (std::uint64_t i = 0; i < count && reader.ok(); ++i) {
    delivery::Unit unit{.begin = begin};
    begin += reader.read_varint();
    unit.items = static_cast<std::uint32_t>(reader.read_varint());
    unit.item = static_cast<std::uint32_t>(reader.read_varint());
    unit.timestamp_ms = from_zigzag(reader.read_varint());
    entry.parcel.units.push_back(unit);
  }
  entry.parcel.message = reader.rest();
  return reader.ok() && begin == entry.parcel.message.size();
}

/// `is_as_in_log`: from version 4 on bodies lie as the disk log stores them, before that plain.
bool decode_records(std::string_view content, bool is_as_in_log,
                    const std::shared_ptr<const std::string>& room, SideEntry& entry) {
  ByteReader reader(content);
  const std::uint64_t count = reader.read_varint();
  for (std::uint64_t i = 0; i < count && reader.ok(); ++i) {
    SideRecord record;
    record.items = static_cast<std::uint32_t>(reader.read_varint());
    record.rejected = static_cast<std::uint32_t>(reader.read_varint());
    record.from.item = static_cast<std::uint32_t>(reader.read_varint());
    record.from.part = static_cast<std::uint32_t>(reader.read_varint());
    record.verdicts = reader.read_sized();
    const std::uint8_t encoding = is_as_in_log ? reader.read_u8() : 0;
    const std::uint64_t lz4_bytes = is_as_in_log ? reader.read_varint() : 0;
    if (encoding > static_cast<std::uint8_t>(disk_log::BodyEncoding::kSnappy) ||
        lz4_bytes > disk_log::kRecordBytesMax)
      return false;
    record.encoding = static_cast<disk_log::BodyEncoding>(encoding);
    record.lz4_bytes = static_cast<std::uint32_t>(lz4_bytes);
    record.stored = reader.read_sized();
    // Bodies are views of the file's bytes, which all records of the entry share: an entry of 256
    // MiB is in memory once.
    record.room = room;
    entry.records.push_back(std::move(record));
  }
  return reader.ok() && reader.rest().empty();
}

/// A bit that flips in a version must not be taken for a later program's file, which ends a start.
std::uint32_t head_checksum(std::uint32_t version, std::string_view head) {
  if (version < kChecksummedVersion) return crc32c(head);
  std::string bytes;
  append_u32(bytes, version);
  return crc32c(head, crc32c(bytes));
}

struct Opened {
  SideHead head;
  bool is_as_in_log = false;
  std::uint32_t content_checksum = 0;
  std::string_view content;  // what is there of it
};

/// What the head says; `content` is not known from it. Nothing where a field is wrong.
std::optional<Opened> read_fields(std::uint32_t version, std::string_view head) {
  ByteReader fields(head);
  const std::uint8_t signal = fields.read_u8();
  const std::uint8_t stage = fields.read_u8();
  const std::uint8_t kind = fields.read_u8();
  const auto received_ms = static_cast<std::int64_t>(fields.read_u64());
  const std::uint64_t items = fields.read_u64();
  const std::uint64_t content_bytes = fields.read_u64();
  const std::uint32_t content_checksum = fields.read_u32();
  auto whose = kept_customer_signal(fields.read_sized(), signal);
  const bool is_packed = kind == kPackedUnits && version > 1;
  const bool is_as_in_log = kind == kRecordsAsInLog && version >= kAsInLogVersion;
  const std::uint64_t plain_bytes = is_packed ? fields.read_u64() : content_bytes;
  if (!fields.ok() || !whose || stage > kStageMax ||
      (kind > kRecords && !is_packed && !is_as_in_log) ||
      (is_packed && plain_bytes > kEntryPlainBytesMax))
    return std::nullopt;
  return Opened{
      {std::move(whose->customer), whose->signal, static_cast<delivery::Parcel::SearchStage>(stage),
       kind == kRecords || is_as_in_log, received_ms, items, content_bytes, is_packed, plain_bytes},
      is_as_in_log,
      content_checksum,
      {}};
}

Result<Opened> open(std::string_view bytes) {
  ByteReader reader(bytes);
  if (reader.read_bytes(kMagic.size()) != kMagic)
    return fail(ErrorCode::kCorrupt, "does not begin as an entry of the side queue");
  const std::uint32_t version = reader.read_u32();
  const std::uint32_t checksum = reader.read_u32();
  const std::string_view head = reader.read_bytes(reader.read_u32());
  // The checksum is judged before the version, as in the disk log: see head_checksum.
  if (!reader.ok() || version == 0 || head_checksum(version, head) != checksum)
    return fail(ErrorCode::kCorrupt, "the head's checksum is wrong");
  if (version > kSideVersion)
    return fail(ErrorCode::kInvalid, fmt::format("version {} of an entry is not known", version));
  auto opened = read_fields(version, head);
  if (!opened) return fail(ErrorCode::kCorrupt, "a field of the head is wrong");
  opened->content = reader.rest();
  return *std::move(opened);
}

}  // namespace

std::uint64_t size_of(const SideBytes& bytes) {
  std::uint64_t size = 0;
  for (const std::string_view part : bytes.parts) size += part.size();
  return size;
}

void SideRecord::pack(bodies::LogBody body) {
  if (body.recent) body.stored = *body.recent;
  disk_log::StoredBody packed = disk_log::pack_or_take(body.stored, body.encoding);
  encoding = body.encoding;
  lz4_bytes = packed.is_lz4 ? packed.plain_bytes : 0;
  room = std::make_shared<const std::string>(std::move(packed.bytes));
  stored = *room;
}

Result<void> SideRecord::open() {
  if (!is_packed() || !opened.empty()) return {};
  bodies::LogBody body{encoding};
  if (lz4_bytes > 0) {
    auto undone = undo_lz4(stored, lz4_bytes);
    if (!undone) return forward(undone);
    body.stored = *std::move(undone);
  } else {
    body.stored = stored;
  }
  if (auto unpacked = body.open(); !unpacked) return unpacked;
  opened = std::move(encoding == disk_log::BodyEncoding::kPlain ? body.stored : body.unpacked);
  return {};
}

SideBytes encode_side_entry(SideEntry& entry) {
  SideBytes out;
  add(out, "");  // the head, which needs the content's sum
  SideHead& head = entry.head;
  head.holds_records = !entry.records.empty();
  if (head.holds_records)
    add_records(out, entry.records);
  else
    add_parcel(out, entry.parcel);
  head.plain_bytes = size_of(out);
  if (head.is_packed && !head.holds_records) pack(out, head);
  head.content_bytes = size_of(out);
  std::uint32_t checksum = 0;
  for (const std::string_view part : out.parts) checksum = crc32c(part, checksum);
  std::string fields;
  fields += static_cast<char>(kept_number(head.signal));
  fields += static_cast<char>(head.stage);
  fields += static_cast<char>(head.holds_records ? kRecordsAsInLog
                              : head.is_packed   ? kPackedUnits
                                                 : 0);
  append_u64(fields, static_cast<std::uint64_t>(head.received_ms));
  append_u64(fields, head.items);
  append_u64(fields, head.content_bytes);
  append_u32(fields, checksum);
  append_sized(fields, head.customer.text());
  if (head.is_packed) append_u64(fields, head.plain_bytes);
  std::string& front = out.made.front();
  front = kMagic;
  append_u32(front, kSideVersion);
  append_u32(front, head_checksum(kSideVersion, fields));
  append_u32(front, static_cast<std::uint32_t>(fields.size()));
  front += fields;
  out.parts.front() = front;
  return out;
}

Result<SideHead> decode_side_head(std::string_view bytes) {
  auto opened = open(bytes);
  if (!opened) return forward(opened);
  return opened->head;
}

Result<SideEntry> decode_side_entry(std::string bytes) {
  const auto room = std::make_shared<const std::string>(std::move(bytes));
  auto opened = open(*room);
  if (!opened) return forward(opened);
  const std::string_view content = opened->content;
  if (content.size() != opened->head.content_bytes || crc32c(content) != opened->content_checksum)
    return fail(ErrorCode::kCorrupt, "the content's checksum is wrong");
  const SideHead& head = opened->head;
  SideEntry entry{
      head, {.customer = head.customer, .signal = head.signal, .stage = head.stage}, {}};
  if (head.is_packed) {
    auto plain = undo_lz4(content, head.plain_bytes);
    if (!plain) return forward(plain);
    if (!decode_parcel(*plain, entry))
      return fail(ErrorCode::kCorrupt, "the content does not end where it should");
    return entry;
  }
  const bool is_whole = head.holds_records
                            ? decode_records(content, opened->is_as_in_log, room, entry)
                            : decode_parcel(content, entry);
  if (!is_whole) return fail(ErrorCode::kCorrupt, "the content does not end where it should");
  return entry;
}

}  // namespace vigia::collector::side
