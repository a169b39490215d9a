#include "services/collector/tail_sampling/tail_sampler.hpp"

#include <algorithm>
#include <filesystem>
#include <system_error>
#include <unordered_map>
#include <utility>

#include "libs/base/fault.hpp"
#include "libs/model/customer_signal.hpp"
#include "libs/model/verdicts.hpp"
#include "libs/service/log.hpp"
#include "services/collector/bodies/accepted_items.hpp"
#include "services/collector/bodies/log_body.hpp"
#include "services/collector/bodies/moved_note.hpp"
#include "services/collector/tail_sampling/gathered.hpp"
#include "services/collector/tail_sampling/span_look.hpp"

namespace vigia::collector::tail_sampling {
namespace {

constexpr std::string_view kDecide = "decide";
constexpr std::string_view kCopy = "copy";
constexpr auto kIdleWait = std::chrono::milliseconds(100);
constexpr auto kLinger = std::chrono::milliseconds(20);
constexpr auto kRetry = std::chrono::milliseconds(500);
constexpr auto kShowInterval = std::chrono::seconds(1);
/// A record that ends in a fault of ours so often, in a row, is given up: it would hold up all.
constexpr int kFaultsMax = 5;

std::string waiting_folder(const std::string& directory) {
  return directory + "/tail-sampling/waiting";
}

/// What intake has refused of it is refused here too.
Result<Verdicts> verdicts_of(const disk_log::RecordHeader& header) {
  if (header.tag.note.empty()) return Verdicts(header.items);
  return Verdicts::decode(header.tag.note);
}

}  // namespace

TailSampler::TailSampler(TailSamplingSettings settings, TailSamplerParts parts)
    : settings_(std::move(settings)),
      parts_(std::move(parts)),
      traces_(settings_),
      metrics_(parts_.metrics) {}

TailSampler::~TailSampler() { stop(); }

bool TailSampler::has_waiting(const std::string& directory) {
  std::error_code ignored;
  return std::filesystem::is_directory(waiting_folder(directory), ignored);
}

Result<std::unique_ptr<TailSampler>> TailSampler::open(TailSamplingSettings settings,
                                                       WaitingLogSettings log,
                                                       TailSamplerParts parts,
                                                       disk_log::FileSystem& files) {
  auto made = std::make_unique<TailSampler>(std::move(settings), std::move(parts));
  if (auto opened = made->open_logs(std::move(log), files); !opened) return forward(opened);
  return made;
}

Result<void> TailSampler::open_logs(WaitingLogSettings log, disk_log::FileSystem& files) {
  for (const std::string& folder : {log.directory, log.directory + "/tail-sampling"}) {
    if (auto made = files.create_directory(folder); !made) return made;
  }
  disk_log::DiskLogSettings settings;
  settings.directory = waiting_folder(log.directory);
  settings.bytes_max = log.bytes_max;
  settings.segment_bytes = log.segment_bytes;
  settings.owner_share = log.customer_share;
  settings.pending_bytes_max = log.pending_bytes_max;
  settings.owner_word = "customer";
  for (const std::string_view name : {kDecide, kCopy})
    settings.cursors.push_back({.name = std::string(name), .required = true});
  disk_log::DiskLogEvents events;
  events.on_queued = [this](const disk_log::RecordHeader& header, std::string_view cursor) {
    if (cursor != kCopy) return;
    if (first_sequence_ == 0) first_sequence_ = header.sequence;
    last_sequence_ = header.sequence;
    at_start_[header.tag.owner] += header.items - header.rejected;
  };
  events.on_drop = [this](const disk_log::RecordHeader& header, std::string_view cursor,
                          disk_log::DropReason /*reason*/) {
    if (cursor != kCopy) return;
    const auto customer = kept_customer(header.tag.owner);
    if (!customer) return;
    for (const std::string& exporter : parts_.exporters)
      parts_.books.dropped(*customer, Signal::kTraces, exporter, books::DropCause::kDamaged,
                           header.items - header.rejected);
  };
  events.on_skip = [](const disk_log::SkippedPassage& skipped) {
    service::log_error("a passage of the waiting log of tail_sampling cannot be read",
                       {{"cursor", skipped.cursor}, {"file", skipped.path}, {"why", skipped.why}});
  };
  auto waiting =
      disk_log::DiskLog::open(std::move(settings), parts_.clock, std::move(events), files);
  if (!waiting) return forward(waiting);
  waiting_ = *std::move(waiting);
  decide_ = &waiting_->cursor(kDecide);
  copy_ = &waiting_->cursor(kCopy);
  auto verdicts = VerdictLog::open(log.directory + "/tail-sampling/verdicts", parts_.clock, files);
  if (!verdicts) return forward(verdicts);
  verdicts_ = *std::move(verdicts);
  return verdicts_->restore(traces_, last_sequence_, parts_.clock.steady());
}

void TailSampler::note_moved(const disk_log::RecordHeader& header) {
  if (header.tag.kind != kept_number(Signal::kTraces)) return;
  const auto sequence = bodies::moved_sequence(header.tag.note);
  // What was passed before the cursor moved is not asked for again.
  if (!sequence || first_sequence_ == 0 || *sequence < first_sequence_) return;
  if (!moved_.emplace(*sequence, header.items).second) return;  // it waits for several exporters
  std::uint64_t& waiting = at_start_[header.tag.owner];
  waiting -= std::min<std::uint64_t>(waiting, header.items);
}

void TailSampler::begin(disk_log::DiskLog& log) {
  log_ = &log;
  for (const auto& [owner, items] : at_start_) {
    const auto customer = kept_customer(owner);
    if (!customer || items == 0) continue;
    for (const std::string& exporter : parts_.exporters)
      parts_.books.queued_at_start(*customer, Signal::kTraces, exporter, items);
  }
  at_start_.clear();
}

void TailSampler::start() {
  thread_ = std::thread([this] { run(); });
}

void TailSampler::stop() noexcept {
  is_stopping_ = true;
  if (decide_ != nullptr) decide_->interrupt();
  if (thread_.joinable()) thread_.join();
}

void TailSampler::run() {
  while (!is_stopping_) {
    if (!contain_faults("tail sampling", [this] { turn(kIdleWait); }))
      contain_faults("what follows a fault", [this] { begin_again(); });
    // A turn looks at each customer and may sync twice: few turns for many requests.
    if (!has_more_) std::this_thread::sleep_for(kLinger);
  }
}

void TailSampler::turn(Duration wait) {
  read_some(wait);
  traces_.decide_due(parts_.clock.steady());
  // Nothing is done by a verdict that a kill could take away.
  if (write_down()) pass_some();
  renew_verdicts();
  publish_shares();
  show();
}

void TailSampler::read_some(Duration wait) {
  const bool may_wait = !std::exchange(has_more_, false);
  std::size_t bytes = 0;
  for (std::size_t records = 0; records < kRecordsAtATime && bytes < kBytesAtATime; ++records) {
    auto record = decide_->next(records == 0 && may_wait ? wait : Duration::zero());
    if (!record) {
      service::log_error("the waiting log of tail_sampling cannot be read",
                         {{"error", record.error().message}});
      std::this_thread::sleep_for(kRetry);
      return;
    }
    if (!record->has_value()) return;
    bytes += read(**std::move(record));
  }
  has_more_ = true;
}

std::size_t TailSampler::read(disk_log::DiskRecord record) {
  const TimePoint now = parts_.clock.steady();
  const disk_log::RecordHeader& header = record.header;
  // First: who passes it must not wait for one that ends in a fault here.
  read_sequence_ = std::max(read_sequence_, header.sequence);
  auto verdicts = verdicts_of(header);
  bodies::LogBody body{header.encoding, std::move(record.body)};
  // Damage is told where it is passed.
  if (!verdicts || !body.open()) return 0;
  const auto looked =
      look_at_spans(body.plain(), settings_.policies.conditions,
                    [&](std::uint32_t item, const TraceId& id, const TraceFacts& span) {
                      if (!verdicts->is_rejected(item))
                        traces_.add(header.tag.owner, id, span, header.sequence, now);
                    });
  static_cast<void>(looked);
  // At once: what is acknowledged meanwhile is decided by its records alone.
  if (traces_.is_over_share(header.tag.owner) && !published_.contains(header.tag.owner))
    publish_shares();
  return body.plain().size();
}

bool TailSampler::write_down() {
  auto decided = traces_.take_decided();
  std::move(decided.begin(), decided.end(), std::back_inserter(unwritten_));
  if (unwritten_.empty()) return true;
  if (auto written = verdicts_->append(unwritten_); !written) {
    if (!std::exchange(is_failing_, true))
      service::log_error("verdicts of tail_sampling cannot be written: nothing is passed on",
                         {{"error", written.error().message}});
    if (!is_stopping_) std::this_thread::sleep_for(kIdleWait);
    return false;
  }
  is_failing_ = false;
  unwritten_.clear();
  return true;
}

void TailSampler::pass_some() {
  const std::vector<Passing> batch = next_batch();
  if (batch.empty()) return;
  // Verdicts that were found with the batch are durable before it moves, as all are.
  if (write_down() && move(batch)) {
    has_more_ = has_more_ || !in_hand_;
    return;
  }
  // All behind what could not be moved is read again, and what was moved is not moved again.
  begin_again();
  if (!is_stopping_) std::this_thread::sleep_for(kIdleWait);
}

/// The next records that can be passed.
std::vector<TailSampler::Passing> TailSampler::next_batch() {
  std::vector<Passing> batch;
  std::size_t bytes = 0;
  while (batch.size() < kRecordsAtATime && bytes < kBytesAtATime) {
    if (!in_hand_) {
      auto record = copy_->next(Duration::zero());
      if (!record || !record->has_value()) break;
      in_hand_ = **std::move(record);
    }
    auto passing = judge(*in_hand_);
    if (!passing) break;
    bytes += passing->bytes;
    batch.push_back(*std::move(passing));
    in_hand_.reset();
  }
  return batch;
}

void TailSampler::begin_again() {
  copy_->rewind();
  in_hand_.reset();
  waits_for_.reset();
}

/// Nothing where a trace of it is not decided, or not read yet.
std::optional<TailSampler::Passing> TailSampler::judge(disk_log::DiskRecord& record) {
  const disk_log::RecordHeader& header = record.header;
  if (header.sequence > read_sequence_) return std::nullopt;
  if (const auto moved = moved_.find(header.sequence); moved != moved_.end()) {
    const std::uint32_t accepted = header.items - header.rejected;
    return Passing{.header = header,
                   .kept_items = moved->second,
                   .dropped = accepted - std::min(accepted, moved->second),
                   .is_moved = true};
  }
  // The rest of a large record is not looked at again before the trace that it waits for is
  // decided.
  if (waits_for_ && traces_.find(header.tag.owner, *waits_for_) == Traces::State::kWaiting)
    return std::nullopt;
  waits_for_.reset();
  if (faults_at_ == header.sequence && faults_ >= kFaultsMax)
    return damaged(header, "it ends in a fault of ours");
  // Counted before, and taken back once it went well: a fault leaves it so.
  faults_ = faults_at_ == header.sequence ? faults_ + 1 : 1;
  faults_at_ = header.sequence;
  auto verdicts = verdicts_of(header);
  if (!verdicts) return damaged(header, verdicts.error().message);
  bodies::LogBody body{header.encoding, record.body};
  if (auto opened = body.open(); !opened) return damaged(header, opened.error().message);
  const auto dropped = leave_out(header, body.plain(), *verdicts);
  faults_ = 0;
  if (!dropped) return damaged(header, dropped.error().message);
  if (waits_for_) return std::nullopt;
  Passing passing{.header = header,
                  .kept_items = verdicts->accepted(),
                  .dropped = *dropped,
                  .bytes = body.plain().size()};
  if (passing.kept_items == 0) return passing;
  auto kept = bodies::accepted_items(Signal::kTraces, body.plain(), *verdicts);
  if (!kept) return damaged(header, kept.error().message);
  passing.kept = *std::move(kept);
  return passing;
}

/// Marks the spans whose traces go, and returns how many; or notes the first trace that is not
/// decided.
Result<std::uint32_t> TailSampler::leave_out(const disk_log::RecordHeader& header,
                                             std::string_view body, Verdicts& verdicts) {
  std::uint32_t dropped = 0;
  bool has_unknown = false;
  auto looked = look_at_trace_ids(body, [&](std::uint32_t item, const TraceId& id) {
    if (waits_for_ || verdicts.is_rejected(item)) return;
    switch (traces_.find(header.tag.owner, id)) {
      case Traces::State::kKept:
        return;
      case Traces::State::kDropped:
        // Any reason will do: they are left out, and no sender is told.
        verdicts.reject(item, RejectReason::kUntranslatable);
        ++dropped;
        return;
      case Traces::State::kUnknown:
        has_unknown = true;
        return;
      case Traces::State::kWaiting:
        waits_for_ = id;
    }
  });
  if (!looked) return forward(looked);
  if (waits_for_ || !has_unknown) return dropped;
  auto alone = leave_out_alone(header, body, verdicts);
  if (!alone) return forward(alone);
  return dropped + *alone;
}

/// The same for traces that are unknown: they were read while their customer was over its share.
Result<std::uint32_t> TailSampler::leave_out_alone(const disk_log::RecordHeader& header,
                                                   std::string_view body, Verdicts& verdicts) {
  const TimePoint now = parts_.clock.steady();
  std::unordered_map<TraceId, std::size_t, Traces::KeyedHash> places(0, traces_.hash());
  std::vector<std::pair<TraceId, TraceFacts>> unknown;
  std::vector<std::pair<std::uint32_t, std::size_t>> items;  // with their traces' places
  auto looked = look_at_spans(body, settings_.policies.conditions,
                              [&](std::uint32_t item, const TraceId& id, const TraceFacts& span) {
                                if (verdicts.is_rejected(item) ||
                                    traces_.find(header.tag.owner, id) != Traces::State::kUnknown)
                                  return;
                                const auto [place, is_new] = places.try_emplace(id, unknown.size());
                                if (is_new) unknown.emplace_back(id, TraceFacts{});
                                unknown[place->second].second.add(span);
                                items.emplace_back(item, place->second);
                              });
  if (!looked) return forward(looked);
  std::vector<bool> goes;
  for (const auto& [id, facts] : unknown)
    goes.push_back(!traces_.decide_alone(header.tag.owner, id, facts, header.sequence, now));
  std::uint32_t dropped = 0;
  for (const auto& [item, place] : items) {
    if (!goes[place]) continue;
    verdicts.reject(item, RejectReason::kUntranslatable);
    ++dropped;
  }
  return dropped;
}

TailSampler::Passing TailSampler::damaged(const disk_log::RecordHeader& header,
                                          const std::string& why) {
  service::log_error(
      "a record of spans cannot be read and is given up",
      {{"customer_id", header.tag.owner}, {"items", std::to_string(header.items)}, {"why", why}});
  return {.header = header, .is_damaged = true};
}

/// Appends what is kept, and passes the records up to the first of which that failed.
bool TailSampler::move(const std::vector<Passing>& batch) {
  std::vector<const Passing*> moving;
  for (const Passing& passing : batch) {
    if (!passing.kept.empty()) moving.push_back(&passing);
  }
  Gathered answers(moving.size());
  for (std::size_t i = 0; i < moving.size(); ++i) {
    const disk_log::RecordHeader& from = moving[i]->header;
    disk_log::DiskRecord record{{.tag = {.owner = from.tag.owner,
                                         .kind = from.tag.kind,
                                         .route = from.tag.route,
                                         .note = bodies::moved_note(from.sequence)},
                                 .items = moving[i]->kept_items},
                                moving[i]->kept,
                                true};
    record.header.received_ms =
        parts_.time == nullptr ? parts_.clock.wall_ms() : parts_.time->now_or_wall_ms();
    log_->append(std::move(record), answers.taker(i));
  }
  std::optional<std::uint64_t> failed;
  if (!moving.empty()) {
    const auto& answered = answers.wait();
    for (std::size_t i = 0; i < moving.size(); ++i) {
      const std::uint64_t sequence = moving[i]->header.sequence;
      if (answered[i])
        moved_.emplace(sequence, moving[i]->kept_items);
      else if (!failed)
        failed = sequence;
    }
  }
  const disk_log::RecordHeader* last = nullptr;
  for (const Passing& passing : batch) {
    if (failed && passing.header.sequence >= *failed) break;
    pass(passing);
    last = &passing.header;
  }
  if (last == nullptr) return false;
  copy_->commit(last->next);
  decide_->commit(last->next);
  moved_.erase(moved_.begin(), moved_.upper_bound(last->sequence));
  traces_.pass(last->sequence);
  return !failed;
}

void TailSampler::pass(const Passing& passing) {
  const auto customer = kept_customer(passing.header.tag.owner);
  if (!customer) return;
  const std::uint64_t accepted = passing.header.items - passing.header.rejected;
  if (!passing.is_damaged) {
    parts_.books.sampled_out(*customer, Signal::kTraces, parts_.exporters, passing.dropped);
    return;
  }
  for (const std::string& exporter : parts_.exporters)
    parts_.books.dropped(*customer, Signal::kTraces, exporter, books::DropCause::kDamaged,
                         accepted);
}

/// The log of verdicts begins anew with what is remembered, when it has become long.
void TailSampler::renew_verdicts() {
  if (!unwritten_.empty() || !verdicts_->is_long(traces_.in_memory())) return;
  if (!write_down()) return;
  const disk_log::LogPosition before = verdicts_->end();
  if (verdicts_->append(traces_.all_decided())) verdicts_->drop_before(before);
}

void TailSampler::publish_shares() {
  published_ = traces_.over_share();
  parts_.shares.publish(published_);
}

void TailSampler::show() {
  const TimePoint now = parts_.clock.steady();
  if (shown_at_ != TimePoint{} && now < shown_at_ + kShowInterval) return;
  shown_at_ = now;
  metrics_.show(traces_.counts(), now - traces_.oldest(now), waiting_->stats().bytes);
}

}  // namespace vigia::collector::tail_sampling
