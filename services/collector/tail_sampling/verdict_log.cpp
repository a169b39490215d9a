#include "services/collector/tail_sampling/verdict_log.hpp"

#include <bit>
#include <utility>

#include "libs/base/bytes.hpp"
#include "libs/service/log.hpp"
#include "services/collector/tail_sampling/gathered.hpp"

namespace vigia::collector::tail_sampling {
namespace {

constexpr std::uint8_t kVersion = 1;
constexpr std::size_t kTraceIdBytes = 16;
constexpr std::size_t kVerdictBytes = kTraceIdBytes + 1;
/// It is written anew when it is this, or twice what is remembered: a start has all of it in
/// memory.
constexpr std::uint64_t kShortBytes = 4U << 20U;
constexpr std::uint64_t kLongFactor = 2;
/// More than it ever is, but for a disk that takes nothing.
constexpr std::uint64_t kBytesMax = 16ULL << 30U;
constexpr std::uint64_t kSegmentBytes = 2U << 20U;
constexpr std::string_view kCursor = "verdicts";

}  // namespace

std::string encode_batch(const VerdictBatch& batch) {
  std::string body;
  body.reserve(batch.verdicts.size() * kVerdictBytes + 32);
  body += static_cast<char>(kVersion);
  append_varint(body, batch.levels.size());
  for (const double level : batch.levels) append_u64(body, std::bit_cast<std::uint64_t>(level));
  for (const Verdict& verdict : batch.verdicts) {
    body += bytes_of(verdict.id);
    body += static_cast<char>(verdict.is_kept ? 1 : 0);
  }
  return body;
}

Result<VerdictBatch> decode_batch(std::string customer, std::string_view body) {
  ByteReader reader(body);
  VerdictBatch batch{std::move(customer)};
  const bool is_known = reader.read_u8() == kVersion;
  const std::uint64_t levels = reader.read_varint();
  if (!is_known || levels > body.size())
    return fail(ErrorCode::kCorrupt, "is no batch of verdicts of this version");
  for (std::uint64_t i = 0; i < levels; ++i)
    batch.levels.push_back(std::bit_cast<double>(reader.read_u64()));
  while (reader.ok() && !reader.rest().empty()) {
    const std::string_view id = reader.read_bytes(kTraceIdBytes);
    const std::uint8_t kept = reader.read_u8();
    if (!reader.ok() || kept > 1) return fail(ErrorCode::kCorrupt, "ends within a verdict");
    batch.verdicts.push_back({trace_id_of(id), kept == 1});
  }
  if (!reader.ok()) return fail(ErrorCode::kCorrupt, "ends before its verdicts");
  return batch;
}

VerdictLog::VerdictLog(std::unique_ptr<disk_log::DiskLog> log)
    : log_(std::move(log)), cursor_(log_->cursor(kCursor)), end_(cursor_.committed()) {}

Result<std::unique_ptr<VerdictLog>> VerdictLog::open(const std::string& directory,
                                                     const Clock& clock,
                                                     disk_log::FileSystem& files) {
  disk_log::DiskLogSettings settings;
  settings.directory = directory;
  settings.cursors = {{.name = std::string(kCursor), .required = true}};
  settings.bytes_max = kBytesMax;
  settings.segment_bytes = kSegmentBytes;
  settings.owner_share = 0;  // what is decided has to be written, whoever's it is
  disk_log::DiskLogEvents events;
  events.on_skip = [](const disk_log::SkippedPassage& skipped) {
    service::log_error(
        "verdicts of tail_sampling cannot be read: traces that they speak of are decided anew",
        {{"file", skipped.path}, {"why", skipped.why}});
  };
  auto opened = disk_log::DiskLog::open(std::move(settings), clock, std::move(events), files);
  if (!opened) return forward(opened);
  return std::make_unique<VerdictLog>(*std::move(opened));
}

Result<void> VerdictLog::restore(Traces& traces, std::uint64_t sequence, TimePoint now) {
  for (;;) {
    auto record = cursor_.next(Duration::zero());
    if (!record) return forward(record);
    if (!record->has_value()) return {};
    const disk_log::RecordHeader& header = (*record)->header;
    end_ = header.next;
    auto batch = decode_batch(header.tag.owner, (*record)->body);
    if (batch)
      traces.restore(*batch, sequence, now);
    else
      cursor_.pass_over(header, batch.error().message);
  }
}

Result<void> VerdictLog::append(const std::vector<VerdictBatch>& batches) {
  Gathered answers(batches.size());
  for (std::size_t i = 0; i < batches.size(); ++i) {
    disk_log::DiskRecord record{{.tag = {.owner = batches[i].customer}}, encode_batch(batches[i])};
    record.header.items = static_cast<std::uint32_t>(batches[i].verdicts.size());
    log_->append(std::move(record), answers.taker(i));
  }
  Result<void> all;
  for (const Result<disk_log::RecordHeader>& answer : answers.wait()) {
    if (!answer)
      all = forward(answer);
    else
      end_ = std::max(end_, answer->next);
  }
  return all;
}

bool VerdictLog::is_long(std::size_t remembered) const {
  const std::uint64_t bytes = log_->stats().cursors.front().queued_bytes;
  return bytes > std::max<std::uint64_t>(kShortBytes, kLongFactor * kVerdictBytes * remembered);
}

void VerdictLog::drop_before(disk_log::LogPosition position) { cursor_.commit(position); }

}  // namespace vigia::collector::tail_sampling
