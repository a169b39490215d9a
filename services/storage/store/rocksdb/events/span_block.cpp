#include "services/storage/store/rocksdb/events/span_block.hpp"

#include <algorithm>
#include <bit>
#include <iterator>
#include <utility>

#include "libs/base/bytes.hpp"

namespace vigia::storage::store::rocksdb::events {
namespace {

constexpr std::uint8_t kVersion = 1;
// Times are kept to a slot of about a millisecond, 2^16 in a bucket.
constexpr unsigned kSlotBits = search_key::kBucketBits - 16;
constexpr std::size_t kTraceFilterBytesMax = kTraceTagsMax;  // eight bits for each
// What all have in common must not take more than the traces themselves: a resource of many
// attributes with one span in each of many buckets would.
constexpr std::size_t kCommonBytes = 32;
constexpr std::size_t kCommonBytesPerTrace = 16;
// What half of the traces have tells none of them apart: looked for among so many.
constexpr std::size_t kSampleTraces = 8;
constexpr std::string_view kZeros("\0\0\0\0\0\0\0\0", kHalfIdBytes);

std::uint32_t slot_of(TimestampNs time_ns) {
  return static_cast<std::uint32_t>(time_ns >> kSlotBits) & 0xffffU;
}

std::uint32_t short_hash(std::uint64_t name) { return static_cast<std::uint32_t>(name); }

TagFilter read_filter(ByteReader& reader) {
  const std::uint64_t length = reader.read_varint();
  if (length <= 1) return {{}, length == 1};
  return {reader.read_bytes(length - 1), false};
}

class SpanBlockReader {
 public:
  SpanBlockReader(std::uint32_t bucket, std::string_view bytes, const SpanBlockFilter& filter)
      : bucket_(bucket), reader_(bytes), filter_(filter) {}

  Result<void> read(std::vector<FoundTrace>& found) {
    read_head();
    while (is_known_ && reader_.ok() && !reader_.rest().empty()) {
      FoundTrace trace;
      if (read_entry(trace)) found.push_back(trace);
    }
    if (is_known_ && reader_.ok()) return {};
    return fail(ErrorCode::kCorrupt, "cold store: a damaged row of the index of spans");
  }

 private:
  void read_head() {
    is_known_ = reader_.read_u8() == kVersion;
    if (!is_known_) return;
    common_ = read_filter(reader_);
    const std::uint64_t operations = reader_.read_varint();
    for (std::uint64_t i = 0; i < operations && reader_.ok(); ++i) {
      if (reader_.read_u32() == filter_.operation) operation_ = i;
    }
  }

  // All of it is read, whatever it says.
  bool read_entry(FoundTrace& trace) {
    const bool is_second_half = reader_.read_u8() != 0;
    const std::string_view id = reader_.read_bytes(kHalfIdBytes);
    const std::uint64_t latest = reader_.read_varint();
    const std::uint64_t earliest = latest - std::min(latest, reader_.read_varint());
    const std::uint8_t shortest = reader_.read_u8();
    const std::uint8_t longest = reader_.read_u8();
    bool has_operation = filter_.is_any_operation;
    const std::uint64_t operations = reader_.read_varint();
    for (std::uint64_t i = 0; i < operations && reader_.ok(); ++i) {
      has_operation = reader_.read_varint() == operation_ || has_operation;
    }
    const TagFilter tags = read_filter(reader_);
    if (!reader_.ok()) return false;
    std::copy(id.begin(), id.end(), trace.id.begin() + (is_second_half ? kHalfIdBytes : 0));
    trace.latest_ns = time_of(latest + 1) - 1;
    return has_operation && trace.latest_ns >= filter_.from_ns &&
           time_of(earliest) <= filter_.to_ns && longest >= filter_.shortest &&
           shortest <= filter_.longest && may_have_all(tags);
  }
  TimestampNs time_of(std::uint64_t slot) const {
    return search_key::bucket_begin(bucket_) + (slot << kSlotBits);
  }
  bool may_have_all(const TagFilter& own) const {
    return std::all_of(filter_.tags.begin(), filter_.tags.end(), [&](std::uint64_t tag) {
      return own.may_have(tag) || common_.may_have(tag);
    });
  }

  const std::uint32_t bucket_;
  ByteReader reader_;
  const SpanBlockFilter& filter_;
  bool is_known_ = false;  // its version
  TagFilter common_;
  std::uint64_t operation_ = UINT64_MAX;  // which of the block's it is
};

}  // namespace

// One and a half times as long is the next number.
std::uint8_t rough_duration(std::uint64_t duration_ns) {
  if (duration_ns == 0) return 0;
  const auto highest = static_cast<unsigned>(std::bit_width(duration_ns)) - 1;
  const std::uint64_t next = highest == 0 ? 0 : (duration_ns >> (highest - 1)) & 1U;
  return static_cast<std::uint8_t>(1 + 2 * highest + next);
}

void SpanBlockBuilder::add(std::string_view trace_id, TraceSummary&& trace) {
  Entry entry{"", std::move(trace.tags)};
  std::string& head = entry.head;
  const bool is_second_half = trace_id.starts_with(kZeros);
  head += static_cast<char>(is_second_half);
  head += trace_id.substr(is_second_half ? kHalfIdBytes : 0, kHalfIdBytes);
  const std::uint32_t latest = slot_of(trace.latest_ns);
  append_varint(head, latest);
  append_varint(head, latest - slot_of(trace.earliest_ns));
  head += static_cast<char>(trace.shortest);
  head += static_cast<char>(trace.longest);
  std::sort(trace.operations.begin(), trace.operations.end());
  const auto end = std::unique(trace.operations.begin(), trace.operations.end());
  append_varint(head, static_cast<std::uint64_t>(end - trace.operations.begin()));
  for (auto at = trace.operations.begin(); at != end; ++at) {
    const auto [place, is_new] =
        places_.emplace(short_hash(*at), static_cast<std::uint32_t>(operations_.size()));
    if (is_new) operations_.push_back(short_hash(*at));
    append_varint(head, place->second);
  }
  entries_.push_back(std::move(entry));
}

// In order. Of few traces none is worth the look.
std::vector<std::uint64_t> SpanBlockBuilder::frequent_tags() {
  if (entries_.size() < kSampleTraces) return {};
  std::vector<std::uint64_t> all;
  for (std::size_t i = 0; i < kSampleTraces; ++i) {
    const auto& tags = entries_[i].tags.sorted();
    all.insert(all.end(), tags.begin(), tags.end());
  }
  std::sort(all.begin(), all.end());
  std::vector<std::uint64_t> frequent;
  for (std::size_t i = 0; i + kSampleTraces / 2 <= all.size(); ++i) {
    if (all[i] != all[i + kSampleTraces / 2 - 1]) continue;
    if (frequent.empty() || frequent.back() != all[i]) frequent.push_back(all[i]);
  }
  return frequent;
}

void SpanBlockBuilder::append_tags(std::string& out, TagHashes& tags,
                                   const std::vector<std::uint64_t>& frequent) const {
  std::vector<std::uint64_t> own;
  std::set_difference(tags.sorted().begin(), tags.sorted().end(), frequent.begin(), frequent.end(),
                      std::back_inserter(own));
  append_filter(out, own, tags.are_too_many(), kTraceFilterBytesMax);
}

std::string SpanBlockBuilder::finish() {
  std::string bytes(1, static_cast<char>(kVersion));
  std::vector<std::uint64_t> frequent = frequent_tags();
  TagHashes common = common_;
  for (const std::uint64_t tag : frequent) common.add(tag);
  std::string filter;
  append_filter(filter, common, kCommonBytes + kCommonBytesPerTrace * entries_.size());
  bytes += filter;
  append_varint(bytes, operations_.size());
  for (const std::uint32_t operation : operations_) append_u32(bytes, operation);
  for (Entry& entry : entries_) {
    bytes += entry.head;
    append_tags(bytes, entry.tags, frequent);
  }
  return bytes;
}

SpanBlockFilter::SpanBlockFilter(const TraceQuery& query)
    : from_ns(query.from_ns),
      to_ns(query.to_ns),
      is_any_operation(query.operation.empty()),
      operation(short_hash(search_key::hash_of(query.operation))),
      shortest(rough_duration(query.shortest_ns)),
      longest(rough_duration(query.longest_ns)) {
  for (const TagMatch& tag : query.tags) tags.push_back(hash_tag(tag.key, tag.value));
}

Result<void> read_span_block(std::uint32_t bucket, std::string_view bytes,
                             const SpanBlockFilter& filter, std::vector<FoundTrace>& found) {
  return SpanBlockReader(bucket, bytes, filter).read(found);
}

}  // namespace vigia::storage::store::rocksdb::events
