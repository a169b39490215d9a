#include "services/collector/intake/delta_lane.hpp"

#include <algorithm>
#include <iterator>

#include <fmt/format.h>

#include "libs/base/fault.hpp"
#include "libs/model/customer_signal.hpp"
#include "libs/service/log.hpp"
#include "services/collector/intake/limits.hpp"

namespace vigia::collector::intake {
namespace {

constexpr auto kTendInterval = std::chrono::seconds(1);
constexpr auto kReadRetry = std::chrono::milliseconds(200);
/// Longer than the log itself is patient with what cannot be read.
constexpr auto kReadPatience = std::chrono::minutes(2);
/// Checkpoints take this part of the time at most.
constexpr int kWritingPart = 20;

RejectReason reason_of(deltas::DeltaFault fault) {
  switch (fault) {
    case deltas::DeltaFault::kNoRoom:
      return RejectReason::kDeltaStreams;
    case deltas::DeltaFault::kRepeated:
      return RejectReason::kRepeated;
    case deltas::DeltaFault::kUnfit:
      break;
  }
  return RejectReason::kInvalid;
}

std::string_view why_of(deltas::DeltaFault fault) {
  if (fault != deltas::DeltaFault::kUnfit) return "";
  return "a delta that no sum can be made of: no finite number, below zero where the sum may not "
         "fall, a scale or zero threshold that no histogram has";
}

/// Adds the points that the check has accepted, and rejects those that cannot be.
class CheckedPoints final : public deltas::PointJudge {
 public:
  explicit CheckedPoints(Checked& checked) : checked_(checked) {}
  bool wants(std::uint32_t item) override { return !checked_.verdicts.is_rejected(item); }
  void refuse(std::uint32_t item, deltas::DeltaFault fault) override {
    checked_.reject(item, reason_of(fault), why_of(fault));
  }

 private:
  Checked& checked_;
};

/// In the record itself, so that no kill parts what was added from what that came to. Of a request
/// that is cut into several records in the last.
void note_states(disk_log::DiskRecord& record, const deltas::DeltaAccumulator& owner) {
  std::string& note = record.header.tag.note;
  const Verdicts verdicts = note.empty() ? Verdicts(record.header.items) : *Verdicts::decode(note);
  note = verdicts.encode_before(owner.changes());
}

void refuse(Prepared& prepared, Error error) {
  prepared.error = std::move(error);
  prepared.records.clear();
}

Error too_many_states() {
  return {ErrorCode::kTooLarge,
          fmt::format("what the streams of the request's deltas came to is over {} MiB; send fewer "
                      "at once",
                      (disk_log::kNoteBytesMax + 1) >> 20U)};
}

Error too_much_waits() {
  return {ErrorCode::kUnavailable, "the collector does not keep up with deltas at present",
          kRetryAfter};
}

}  // namespace

/// The requests of one group, which are finished once: by the log, or, where it has let them go
/// without a word, as it ends.
class DeltaLane::Flight {
 public:
  Flight(DeltaLane& lane, CustomerId customer) : lane_(lane), customer_(std::move(customer)) {}
  ~Flight() {
    lane_.note_outcome(customer_, next_.has_value(), next_.value_or(disk_log::LogPosition{}));
  }
  Flight(const Flight&) = delete;
  Flight& operator=(const Flight&) = delete;

  void board(Prepared prepared, IntakeDone done) {
    prepareds_.emplace_back(std::move(prepared), std::move(done));
  }
  /// Of all that are on board.
  std::vector<disk_log::DiskRecord> take_records() {
    std::vector<disk_log::DiskRecord> records;
    for (auto& [prepared, done] : prepareds_)
      std::move(prepared.records.begin(), prepared.records.end(), std::back_inserter(records));
    return records;
  }

  /// Whatever happens to an answer, what is durable is added.
  void finish(const Result<disk_log::RecordHeader>& kept) {
    if (kept) next_ = kept->next;
    for (auto& [prepared, done] : prepareds_) {
      contain_faults("an answer to deltas", [&, &one = prepared, &answer = done] {
        lane_.parts_.finish(std::move(one), kept, std::move(answer));
      });
    }
  }

 private:
  DeltaLane& lane_;
  const CustomerId customer_;
  std::vector<std::pair<Prepared, IntakeDone>> prepareds_;
  std::optional<disk_log::LogPosition> next_;  // where it is durable
};

DeltaLane::DeltaLane(DeltaSettings settings, Parts parts)
    : settings_(std::move(settings)),
      parts_(std::move(parts)),
      cursor_(parts_.log.cursor(kDeltasCursor)),
      room_{.bytes_max = settings_.bytes_max},
      file_(settings_.directory, parts_.files),
      streams_(parts_.metrics.gauge("vigia_delta_streams", "Streams of deltas that are added up")),
      bytes_(parts_.metrics.gauge("vigia_delta_state_bytes", "What their states take")),
      damaged_(parts_.metrics.gauge(
          "vigia_delta_states_damaged",
          "1 where the start found them damaged or not at all: they began anew")),
      checkpoints_(parts_.metrics.counter("vigia_delta_checkpoints_total",
                                          "States of deltas written beside the disk log")),
      checkpoint_failures_(parts_.metrics.counter("vigia_delta_checkpoint_failures_total",
                                                  "The same, which the disk did not take")) {}

DeltaLane::~DeltaLane() {
  {
    const std::lock_guard lock(mutex_);
    is_stopping_ = true;
  }
  arrived_.notify_all();
  if (thread_.joinable()) thread_.join();
}

Result<void> DeltaLane::start() {
  if (auto read = read_checkpoint(); !read) return read;
  if (auto read = read_tail(); !read) return read;
  pass_log();
  share_room();
  thread_ = std::thread([this] { run(); });
  return {};
}

Result<void> DeltaLane::read_checkpoint() {
  const auto position = file_.read([this](const CustomerId& customer, std::string_view states) {
    return restore(customer, states);
  });
  if (position) {
    has_file_ = true;
    checkpointed_ = *position;
    log_end_ = *position;
    cursor_.commit(*position);
    cursor_.rewind();
    return {};
  }
  const ErrorCode code = position.error().code;
  // The cursor never moves before the first one is written.
  if (code == ErrorCode::kNotFound && cursor_.committed() == disk_log::LogPosition{}) return {};
  if (code != ErrorCode::kNotFound && code != ErrorCode::kCorrupt) return forward(position);
  accumulators_.clear();
  if (code == ErrorCode::kCorrupt)
    (void)parts_.files.rename(file_.path(), file_.path() + ".damaged");
  damaged_.set(1);
  service::log_error(
      "what streams of deltas came to is missing or damaged: those that are not in the newest part "
      "of the disk log begin anew, as after a restart of their sender",
      {{"why", position.error().message}});
  return {};
}

/// What was logged since the checkpoint.
Result<void> DeltaLane::read_tail() {
  const TimePoint until = parts_.clock.steady() + kReadPatience;
  for (;;) {
    auto record = cursor_.next(Duration::zero());
    if (!record) {
      if (parts_.clock.steady() >= until) return forward(record);
      std::this_thread::sleep_for(kReadRetry);
      continue;
    }
    if (!record->has_value()) return {};
    const disk_log::RecordHeader& header = (*record)->header;
    log_end_ = header.next;
    const std::string_view states = Verdicts::behind(header.tag.note);
    if (states.empty() || header.position < checkpointed_) continue;
    const auto customer = kept_customer(header.tag.owner);
    if (!customer || !restore(*customer, states)) {
      damaged_.set(1);
      service::log_error(
          "a record of what streams of deltas came to is damaged; they go on from "
          "what is known",
          {{"customer_id", header.tag.owner}});
      continue;
    }
    is_changed_ = true;
  }
}

Result<void> DeltaLane::restore(const CustomerId& customer, std::string_view states) {
  return accumulator(customer).restore(states);
}

deltas::DeltaAccumulator& DeltaLane::accumulator(const CustomerId& customer) {
  auto& found = accumulators_[customer];
  if (!found) {
    found = std::make_unique<deltas::DeltaAccumulator>(
        parts_.clock, deltas::AccumulatorSettings{.streams_max = settings_.streams_per_customer,
                                                  .bytes_max = settings_.bytes_max,
                                                  .idle_max = settings_.idle_max,
                                                  .restarts_at_gaps = settings_.restarts_at_gaps,
                                                  .room = &room_});
  }
  return *found;
}

/// One customer may have twice what is free, as at the doors.
bool DeltaLane::refuses(const Judged& judged, const Customer& customer) const {
  const std::size_t bytes = judged.request.body.size();
  if (is_stopping_) return true;
  if (waiting_bytes_ == 0) return false;  // the largest request fits where nothing waits
  const std::size_t all = waiting_bytes_ + bytes;
  const std::size_t most = settings_.waiting_bytes_max;
  return all > most || (customer.waiting_bytes + bytes) / 2 > most - all;
}

void DeltaLane::take(Judged judged, IntakeDone done) {
  {
    const std::lock_guard lock(mutex_);
    Customer& customer = customers_[judged.customer];
    if (!refuses(judged, customer)) {
      const std::size_t bytes = judged.request.body.size();
      if (customer.waiting.empty() && !customer.is_under_way) ready_.push_back(judged.customer);
      customer.waiting_bytes += bytes;
      waiting_bytes_ += bytes;
      customer.waiting.push_back({std::move(judged), std::move(done)});
      arrived_.notify_one();
      return;
    }
  }
  parts_.finish(parts_.prepare(std::move(judged)), tl::unexpected<Error>(too_much_waits()),
                std::move(done));
}

/// In the order of the log, for its writer calls one after the other.
void DeltaLane::note_outcome(const CustomerId& customer, bool is_kept, disk_log::LogPosition next) {
  const std::lock_guard lock(mutex_);
  outcomes_.push_back({customer, is_kept});
  log_end_ = std::max(log_end_, next);
  arrived_.notify_one();
}

void DeltaLane::stop() {
  {
    const std::lock_guard lock(mutex_);
    if (is_stopping_) return;
    is_stopping_ = true;
  }
  arrived_.notify_all();
  if (!thread_.joinable()) return;  // it never began: what is known may be a part of what is there
  thread_.join();
  pass_log();
}

/// Before the thread runs, or after it has. Whoever is named anew as an exporter is given what the
/// log still keeps: it keeps nothing for deltas that has none.
void DeltaLane::pass_log() {
  contain_faults("a checkpoint of deltas", [this] {
    const disk_log::LogPosition end = settled_end();
    if (is_changed_ || end > checkpointed_) checkpoint(end);
  });
}

void DeltaLane::run() {
  bool goes_on = true;
  while (goes_on) contain_faults("requests with deltas", [&] { goes_on = take_turn(); });
}

/// False where all that was taken is finished, and no more comes.
bool DeltaLane::take_turn() {
  std::vector<Outcome> outcomes;
  std::vector<Job> jobs;
  std::optional<CustomerId> whose;
  {
    std::unique_lock lock(mutex_);
    arrived_.wait_for(lock, kTendInterval,
                      [this] { return is_stopping_ || !outcomes_.empty() || !ready_.empty(); });
    if (is_stopping_ && ready_.empty() && under_way_ == 0 && outcomes_.empty()) return false;
    if (is_stopping_ && ready_.empty() && outcomes_.empty())
      arrived_.wait(lock, [this] { return !outcomes_.empty(); });
    outcomes = std::exchange(outcomes_, {});
    under_way_ -= outcomes.size();
    for (const Outcome& outcome : outcomes) {
      const auto found = customers_.find(outcome.customer);
      found->second.is_under_way = false;
      if (found->second.waiting.empty())
        customers_.erase(found);
      else
        ready_.push_back(outcome.customer);
    }
    if (outcomes.empty() && !ready_.empty()) {
      whose = ready_.front();
      ready_.pop_front();
      Customer& customer = customers_.at(*whose);
      customer.is_under_way = true;
      ++under_way_;
      std::size_t bytes = 0;
      const std::size_t bytes_max = ready_.empty() ? kGroupBytesMax : kGroupBesideOthersBytesMax;
      while (!customer.waiting.empty() && jobs.size() < kGroupRequestsMax) {
        const std::size_t more = customer.waiting.front().judged.request.body.size();
        if (bytes > 0 && bytes + more > bytes_max) break;
        bytes += more;
        jobs.push_back(std::move(customer.waiting.front()));
        customer.waiting.pop_front();
      }
      customer.waiting_bytes -= bytes;
      waiting_bytes_ -= bytes;
    }
  }
  settle(outcomes);
  if (whose) work(*whose, std::move(jobs));
  tend();
  return true;
}

void DeltaLane::settle(const std::vector<Outcome>& outcomes) {
  for (const Outcome& outcome : outcomes) {
    deltas::DeltaAccumulator& owner = accumulator(outcome.customer);
    if (outcome.is_kept) {
      const std::size_t before = owner.streams();
      owner.commit();
      stream_count_ = stream_count_ + owner.streams() - before;
      is_changed_ = true;
    } else {
      owner.discard();
    }
  }
  if (!outcomes.empty()) show();
}

/// A request that is refused as a whole must have added nothing to those behind it: those before it
/// are added once more, and those behind it wait for the next turn, so that each is added three
/// times at most, however many are refused.
void DeltaLane::work(const CustomerId& customer, std::vector<Job> jobs) {
  // From here on its end lets the next group begin, whatever happens.
  auto flight = std::make_shared<Flight>(*this, customer);
  std::vector<Prepared> prepared;
  while (add_all(customer, jobs, prepared)) {
    const std::size_t refused = prepared.size() - 1;
    parts_.finish(std::move(prepared[refused]), disk_log::RecordHeader{},
                  std::move(jobs[refused].done));
    put_back(customer, jobs, refused + 1);
    jobs.pop_back();
  }
  put_back(customer, jobs, prepared.size());
  for (std::size_t index = 0; index < jobs.size(); ++index) {
    if (prepared[index].records.empty()) {
      parts_.finish(std::move(prepared[index]), disk_log::RecordHeader{},
                    std::move(jobs[index].done));
    } else {
      flight->board(std::move(prepared[index]), std::move(jobs[index].done));
    }
  }
  append(std::move(flight));
}

/// In their order, until one is refused as a whole (true; it is the last of `prepared`), or what
/// they came to is as much as a group may be: a small body may come to much.
bool DeltaLane::add_all(const CustomerId& customer, const std::vector<Job>& jobs,
                        std::vector<Prepared>& prepared) {
  accumulator(customer).discard();
  prepared.clear();
  std::size_t bytes = 0;
  for (const Job& job : jobs) {
    if (bytes > kGroupBytesMax) return false;
    prepared.push_back(add(customer, job.judged));
    if (prepared.back().error && prepared.back().receipt.rejected < prepared.back().receipt.items)
      return true;
    for (const disk_log::DiskRecord& record : prepared.back().records)
      bytes += record.body.size() + record.header.tag.note.size();
  }
  return false;
}

/// Those from `first` on wait again, before all others.
void DeltaLane::put_back(const CustomerId& customer, std::vector<Job>& jobs, std::size_t first) {
  const std::lock_guard lock(mutex_);
  Customer& waits = customers_.at(customer);
  while (jobs.size() > first) {
    const std::size_t bytes = jobs.back().judged.request.body.size();
    waits.waiting_bytes += bytes;
    waiting_bytes_ += bytes;
    waits.waiting.push_front(std::move(jobs.back()));
    jobs.pop_back();
  }
}

Prepared DeltaLane::add(const CustomerId& customer, Judged judged) {
  CheckedPoints points(judged.checked);
  auto body = accumulator(customer).rewrite(judged.request.body, points);
  if (body) {
    judged.request.body = *std::move(body);
    Prepared prepared = parts_.prepare(std::move(judged));
    if (prepared.records.empty()) return prepared;
    note_states(prepared.records.back(), accumulator(customer));
    if (prepared.records.back().header.tag.note.size() > disk_log::kNoteBytesMax)
      refuse(prepared, too_many_states());
    return prepared;
  }
  Prepared prepared = parts_.prepare(std::move(judged));
  refuse(prepared, std::move(body.error()));
  return prepared;
}

void DeltaLane::append(std::shared_ptr<Flight> flight) {
  std::vector<disk_log::DiskRecord> records = flight->take_records();
  if (records.empty()) return;
  parts_.log.append_all(std::move(records),
                        [flight = std::move(flight)](const Result<disk_log::RecordHeader>& kept) {
                          flight->finish(kept);
                        });
}

/// Behind all groups whose outcome is settled, and before all others. Nothing of ours is under way
/// where all groups are settled, so that all that the log has then is behind us, whoever wrote it.
disk_log::LogPosition DeltaLane::settled_end() {
  const disk_log::LogPosition durable = parts_.log.stats().end;
  const std::lock_guard lock(mutex_);
  if (under_way_ == 0) log_end_ = std::max(log_end_, durable);
  return outcomes_.empty() ? log_end_ : checkpointed_;
}

void DeltaLane::tend() {
  const TimePoint now = parts_.clock.steady();
  if (now - tended_ < kTendInterval) return;
  tended_ = now;
  for (const auto& [customer, owner] : accumulators_) owner->forget_idle();
  share_room();
  const disk_log::LogPosition end = settled_end();
  // Only then does a segment become free by it.
  if (end.segment <= checkpointed_.segment) return;
  const Duration pause = std::max<Duration>(kCheckpointInterval, write_took_ * kWritingPart);
  if (!is_changed_ || now - wrote_ >= pause) checkpoint(end);
}

void DeltaLane::checkpoint(disk_log::LogPosition position) {
  if (is_changed_ || !has_file_) {
    wrote_ = parts_.clock.steady();
    DeltaCheckpoint::Writing writing(position);
    for (const auto& [customer, owner] : accumulators_) writing.add(customer, owner->all());
    if (auto written = file_.write(std::move(writing)); !written) {
      checkpoint_failures_.add();
      service::log_error(
          "what streams of deltas came to cannot be written; it is tried again, and the disk log "
          "keeps what lies behind the last one",
          {{"why", written.error().message}});
      return;
    }
    write_took_ = parts_.clock.steady() - wrote_;
    checkpoints_.add();
    has_file_ = true;
    is_changed_ = false;
  }
  checkpointed_ = position;
  cursor_.commit(position);
}

/// Whoever has gone from the directory has its states for a while, and its part.
void DeltaLane::share_room() {
  const std::size_t customers = parts_.customers ? parts_.customers() : 0;
  room_.sharers = std::max<std::size_t>({customers, accumulators_.size(), 1});
  stream_count_ = 0;
  for (const auto& [customer, owner] : accumulators_) {
    owner->recount();
    stream_count_ += owner->streams();
  }
  show();
}

void DeltaLane::show() {
  streams_.set(static_cast<double>(stream_count_));
  bytes_.set(static_cast<double>(room_.used));
}

}  // namespace vigia::collector::intake
