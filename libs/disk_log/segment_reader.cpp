#include "libs/disk_log/segment_reader.hpp"

#include <algorithm>

#include "libs/base/bytes.hpp"

namespace vigia::disk_log {
namespace {

// A reader goes through the file once from front to back, so one larger read spares many small
// ones. A walk over heads needs some 60 bytes of each record and would throw the rest away.
constexpr std::size_t kReadAheadWhole = 256U << 10U;
constexpr std::size_t kReadAheadHeads = 4U << 10U;  // bodies are passed over
constexpr std::size_t kRoomKeptMax = 2U << 20U;
constexpr std::size_t kScanBlock = 1U << 20U;
/// The least that is given up where the device cannot read: the system reads files by such pages.
constexpr std::uint64_t kPageBytes = 4096;

std::string marker_bytes(std::uint64_t marker) {
  std::string bytes;
  append_u64(bytes, marker);
  return bytes;
}

}  // namespace

SegmentReader::SegmentReader(std::unique_ptr<File> file, std::uint64_t number, ReadDepth depth)
    : file_(std::move(file)), number_(number), depth_(depth) {}

Result<SegmentReader> SegmentReader::open(std::unique_ptr<File> file, std::uint64_t number,
                                          ReadDepth depth, std::optional<std::uint64_t> marker) {
  SegmentReader reader(std::move(file), number, depth);
  reader.marker_ = marker;
  if (marker) return reader;
  if (auto learned = reader.learn_marker(); !learned) return forward(learned);
  return reader;
}

Result<void> SegmentReader::learn_marker() {
  std::string bytes;
  auto read = file_->read_at(0, kSegmentHeaderBytes + kMarkerBytes, bytes);
  if (!read) return read;
  auto header = decode_segment_header(bytes);
  if (header) {
    marker_ = header->marker;
    previous_end_ = header->previous_end;
    return {};
  }
  if (header.error().code == ErrorCode::kInvalid) return forward(header);
  // Both copies are bad. The first record begins with the marker; it is believed only if the head
  // that it stands before has the right checksum.
  if (bytes.size() == kSegmentHeaderBytes + kMarkerBytes) {
    const std::uint64_t candidate =
        ByteReader(std::string_view(bytes).substr(kSegmentHeaderBytes)).read_u64();
    marker_ = candidate;
    auto size = file_->size();
    if (!size) return forward(size);
    auto head = read_head(kSegmentHeaderBytes, *size);
    if (!head) return forward(head);
    if (!head->has_value()) marker_.reset();
  }
  return {};
}

void SegmentReader::seek(std::uint64_t offset) {
  offset_ = std::max<std::uint64_t>(offset, kSegmentHeaderBytes);
}

Result<std::string_view> SegmentReader::view(std::uint64_t offset, std::size_t count,
                                             std::uint64_t limit) {
  // Never past the limit: behind it the writer may be at work, and what is read there now would
  // stay in the window as if it had been durable.
  if (offset >= limit) return std::string_view();
  count = static_cast<std::size_t>(std::min<std::uint64_t>(count, limit - offset));
  const bool has_all = offset >= window_start_ && offset + count <= window_start_ + window_.size();
  if (!has_all) {
    // After a failed read only what is asked for is read, up to where the failed read would have
    // gone: each try on a bad page may cost the device seconds.
    const bool is_careful = offset < careful_until_;
    const std::size_t far = depth_ == ReadDepth::kWhole ? kReadAheadWhole : kReadAheadHeads;
    const std::size_t ahead = is_careful ? 0 : far;
    const auto wanted =
        static_cast<std::size_t>(std::min<std::uint64_t>(std::max(count, ahead), limit - offset));
    // Room for one large record is not kept for all that come after it.
    if (window_.capacity() > kRoomKeptMax && wanted < kRoomKeptMax) std::string().swap(window_);
    auto read = file_->read_at(offset, wanted, window_);
    if (!read && wanted > count) {  // what is at fault may lie behind what is asked for
      careful_until_ = offset + wanted;
      read = file_->read_at(offset, count, window_);
    }
    window_start_ = offset;
    if (!read) {
      window_.clear();
      return forward(read);
    }
  }
  return std::string_view(window_).substr(static_cast<std::size_t>(offset - window_start_), count);
}

Result<std::optional<RecordHead>> SegmentReader::read_head(std::uint64_t offset,
                                                           std::uint64_t limit) {
  auto prefix = view(offset, kRecordPrefixBytes, limit);
  if (!prefix) return forward(prefix);
  const auto size = head_size(*prefix, *marker_);
  if (!size) return std::optional<RecordHead>();
  auto bytes = view(offset, *size, limit);
  if (!bytes) return forward(bytes);
  auto head = decode_record_head(*bytes, *marker_);
  // A checksum says nothing of the body's length on disk: a head may be whole where the power went
  // before the body was there.
  if (head && offset + head->head_bytes + head->body_bytes > limit) head.reset();  // a torn tail
  return head;
}

Result<std::uint64_t> SegmentReader::find_marker(std::uint64_t from, std::uint64_t limit) {
  // A plain search of the bytes, since no length behind damage can be trusted. The marker is random
  // and known to the log alone, so a customer's body cannot hold it but by an accident of 2^-64.
  const std::string wanted = marker_bytes(*marker_);
  while (from < limit) {
    const bool is_careful = from < careful_until_;
    const std::uint64_t page_end = (from / kPageBytes + 1) * kPageBytes;
    // Page by page where the device fails, so that no more is given up than what it cannot read.
    const bool is_at_end = page_end - from < kMarkerBytes;  // a marker may lie across
    const std::size_t step =
        is_careful ? page_end - from + (is_at_end ? kPageBytes : 0) : kScanBlock;
    auto block = view(from, step, limit);
    if (!block) {
      if (!passes(block.error())) return forward(block);
      if (is_careful) {
        unreadable_bytes_ += page_end - from;
        from = page_end;
      } else {
        careful_until_ = from + kScanBlock;
      }
      continue;
    }
    const std::size_t found = block->find(wanted);
    if (found != std::string_view::npos) return from + found;
    if (block->size() < kMarkerBytes) break;
    // One byte less than a marker is looked at again: it may lie across two blocks.
    from += block->size() - (kMarkerBytes - 1);
    if (block->size() < step) break;
  }
  return limit;
}

bool SegmentReader::is_cut(std::uint64_t limit) {
  const std::uint64_t left = limit - offset_;
  const auto prefix = view(offset_, kRecordPrefixBytes, limit);
  if (!prefix) return false;
  if (left < kRecordPrefixBytes) {  // no record is so short, whatever became of its bytes
    const std::string wanted = marker_bytes(*marker_);
    return prefix->size() == left &&
           prefix->substr(0, kMarkerBytes) == std::string_view(wanted).substr(0, prefix->size());
  }
  const auto size = head_size(*prefix, *marker_);
  if (!size) return false;
  if (*size > left) {
    // The head's checksum is not there. One flipped length would look the same, so both have to
    // say that the record goes on.
    const auto body = unchecked_body_size(*prefix);
    return body && *body > left - kRecordPrefixBytes;
  }
  const auto bytes = view(offset_, *size, limit);
  const auto head = bytes ? decode_record_head(*bytes, *marker_) : std::nullopt;
  return head && head->head_bytes + std::uint64_t{head->body_bytes} > left;
}

Result<FoundRecord> SegmentReader::take(RecordHead head, std::uint64_t limit) {
  const std::uint64_t begin = offset_;
  const std::uint64_t body_at = begin + head.head_bytes;
  FoundRecord found{std::move(head.header), std::string()};
  found.header.position = {number_, begin};
  found.header.next = {number_, body_at + head.body_bytes};
  found.header.stored_bytes = head.head_bytes + head.body_bytes;
  if (depth_ == ReadDepth::kWhole) {
    auto bytes = view(body_at, head.body_bytes, limit);
    if (!bytes && !passes(bytes.error())) return forward(bytes);
    if (bytes) {
      head.body.bytes = *bytes;
      found.body = unpack_body(head.body);
    } else {
      found.body = forward(bytes);
    }
  }
  offset_ = body_at + head.body_bytes;
  return found;
}

Result<std::optional<FoundRecord>> SegmentReader::next(std::uint64_t limit) {
  bool is_in_damage = false;
  while (offset_ < limit) {
    // Nothing tells where a record begins: the whole segment is one passage.
    if (!marker_) {
      ++damaged_;
      offset_ = limit;
      break;
    }
    auto head = read_head(offset_, limit);
    if (!head && !passes(head.error())) return forward(head);
    if (head && head->has_value()) {
      auto found = take(**std::move(head), limit);
      if (!found) return forward(found);
      return std::optional<FoundRecord>(*std::move(found));
    }
    // find_marker counts from the byte behind; a record that begins here is the smallest there is.
    if (!head) unreadable_bytes_ += kRecordPrefixBytes;
    const std::uint64_t unreadable = unreadable_bytes_;
    auto resume = find_marker(offset_ + 1, limit);
    if (!resume) return forward(resume);
    // Only where all can be read, and nothing follows, has a write ended there. A kill ends it
    // between two pages: the system asks for it once a page is filled.
    const bool is_end =
        head && *resume == limit && unreadable_bytes_ == unreadable && limit % kPageBytes == 0;
    has_cut_end_ = is_end && is_cut(limit);
    // A marker in the midst of damage may stand before a bad head again: that is still one passage.
    if (!is_in_damage && !has_cut_end_) ++damaged_;
    is_in_damage = true;
    offset_ = *resume;
  }
  return std::optional<FoundRecord>();
}

}  // namespace vigia::disk_log
