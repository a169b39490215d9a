#include "services/router/coverage/coverage.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "libs/base/fault.hpp"
#include "libs/service/log.hpp"
#include "services/router/json/lists.hpp"
#include "services/router/request/times.hpp"

namespace vigia::router::coverage {
namespace {

constexpr std::chrono::seconds kPollTimeout{5};
// Heartbeats that came late fill holes: all are read again from time to time.
constexpr std::chrono::minutes kFullReadInterval{5};
constexpr std::chrono::minutes kVersionInterval{1};
// A poll that failed this often in a row makes what is known too old to trust.
constexpr int kMissedPollsMax = 4;
// Holes are written at full minutes, and read again for as long as one could have come late.
constexpr std::chrono::minutes kHolesAgain{10};
// How far heartbeats of a wrong clock are looked for.
constexpr std::chrono::hours kAheadMax{24 * 400};

std::int64_t milliseconds(Duration duration) { return duration.count() / 1'000'000; }

}  // namespace

Coverage::Coverage(const CoverageSettings& settings, std::vector<HotStore> stores,
                   const Clock& clock)
    : settings_(settings), stores_(std::move(stores)), clock_(clock) {
  for (std::size_t i = 0; i < stores_.size(); ++i) known_.emplace_back(settings.heartbeat_gap_max);
  for (std::size_t i = 0; i < std::min(stores_.size(), kAtOnceMax); ++i) {
    threads_.emplace_back([this] { run(); });
  }
}

Coverage::~Coverage() {
  {
    const std::lock_guard lock(mutex_);
    is_stopping_ = true;
  }
  changed_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

std::optional<TimestampMs> Coverage::covered_from(std::size_t store) const {
  const std::lock_guard lock(mutex_);
  return covered_from(known_[store]);
}

/// With the lock held.
std::optional<TimestampMs> Coverage::covered_from(const Known& known) const {
  const Duration age_max = settings_.heartbeat_poll * kMissedPollsMax + kPollTimeout;
  if (!known.checked_at || clock_.steady() - *known.checked_at > age_max) return std::nullopt;
  const TimestampMs now_ms = clock_.wall_ms();
  const auto from = known.coverage.covered_from(now_ms);
  if (!from) return std::nullopt;
  return std::max(
      {*from, known.scrapes.from.value_or(*from), now_ms - milliseconds(settings_.edge)});
}

Covered Coverage::covered(std::size_t store, const std::optional<CustomerId>& customer) const {
  const std::optional<std::string> name =
      customer ? std::optional(customer->text()) : std::optional<std::string>();
  // One lock for both: a suspicion between them would forget the holes of what is covered.
  const std::lock_guard lock(mutex_);
  const Known& known = known_[store];
  const auto all = covered_from(known);
  if (!all || known.holes.is_waiting(name)) return {std::nullopt, known.suspicions};
  return {std::max(*all, known.holes.whole_from(name).value_or(*all)), known.suspicions};
}

std::uint64_t Coverage::suspicions_of(std::size_t index) const {
  const std::lock_guard lock(mutex_);
  return known_[index].suspicions;
}

void Coverage::mark_suspect(std::size_t store) {
  const std::lock_guard lock(mutex_);
  Known& known = known_[store];
  known.coverage.forget();
  known.holes.forget();
  known.scrapes = {};
  known.checked_at.reset();
  known.fully_read_at.reset();
  known.version_at.reset();
  ++known.suspicions;
}

std::string Coverage::version() const {
  const std::lock_guard lock(mutex_);
  std::string_view oldest;
  for (const Known& known : known_) {
    if (known.version.empty()) continue;
    if (oldest.empty() || promql::is_older(known.version, oldest)) oldest = known.version;
  }
  return std::string(oldest);
}

std::string Coverage::version(std::size_t store) const {
  const std::lock_guard lock(mutex_);
  return known_[store].version;
}

// A query goes to whichever store holds its data: it is read as the one that knows least would.
promql::Dialect Coverage::dialect() const {
  const std::lock_guard lock(mutex_);
  bool is_any_known = false;
  for (const Known& known : known_) {
    if (known.version.starts_with("2.")) return promql::Dialect::kPrometheus2;
    is_any_known = is_any_known || !known.version.empty();
  }
  return is_any_known ? promql::Dialect::kPrometheus3 : promql::Dialect::kPrometheus2;
}

/// The store that has been due for longest, which is this thread's until it was polled.
std::optional<std::size_t> Coverage::take_due_locked() {
  const TimePoint now = pace_.steady();
  std::optional<std::size_t> first;
  for (std::size_t i = 0; i < known_.size(); ++i) {
    if (known_[i].is_polled || known_[i].due > now) continue;
    if (!first || known_[i].due < known_[*first].due) first = i;
  }
  if (first) known_[*first].is_polled = true;
  return first;
}

Duration Coverage::until_due_locked() const {
  Duration wait = settings_.heartbeat_poll;
  for (const Known& known : known_) {
    if (!known.is_polled) wait = std::min(wait, known.due - pace_.steady());
  }
  return wait;
}

void Coverage::run() {
  std::unique_lock lock(mutex_);
  while (!is_stopping_) {
    const auto index = take_due_locked();
    if (!index) {
      changed_.wait_for(lock, std::max(until_due_locked(), Duration::zero()));
      continue;
    }
    lock.unlock();
    const std::uint64_t connections = stores_[*index].store->connections();
    // What half a poll has found is not to be trusted.
    if (!contain_faults("reading what hot covers", [&] { poll(*index); })) mark_suspect(*index);
    lock.lock();
    const auto confirmed = end_poll_locked(*index, connections);
    lock.unlock();
    for (const Unconfirmed& each : confirmed) contain_faults("a confirmed answer", each.then);
    lock.lock();
  }
}

/// Gives what it has confirmed. A connection that the poll has made itself it may have made
/// half-way: whoever is answered over it waits for the next one.
std::vector<Coverage::Unconfirmed> Coverage::end_poll_locked(std::size_t index,
                                                             std::uint64_t connections) {
  Known& known = known_[index];
  known.is_polled = false;
  known.connections = connections;
  std::vector<Unconfirmed> confirmed;
  std::vector<Unconfirmed> left;
  for (Unconfirmed& each : known.unconfirmed) {
    (each.connections <= connections ? confirmed : left).push_back(std::move(each));
  }
  known.unconfirmed = std::move(left);
  known.due = pace_.steady();
  if (known.unconfirmed.empty()) known.due += settings_.heartbeat_poll;
  return confirmed;
}

void Coverage::when_confirmed(std::size_t store, Task<void()> then) {
  const std::uint64_t connections = stores_[store].store->connections();
  {
    const std::lock_guard lock(mutex_);
    Known& known = known_[store];
    if (known.connections < connections) {
      known.unconfirmed.push_back({connections, std::move(then)});
      known.due = pace_.steady();
      changed_.notify_one();
      return;
    }
  }
  then();
}

void Coverage::poll(std::size_t index) {
  bool is_version_due = false;
  bool is_full_due = false;
  std::uint64_t suspicions = 0;
  {
    const std::lock_guard lock(mutex_);
    if (is_stopping_) return;
    const Known& known = known_[index];
    const TimePoint now = clock_.steady();
    is_version_due = !known.version_at || now - *known.version_at > kVersionInterval;
    is_full_due = !known.coverage.is_known() || !known.fully_read_at ||
                  now - *known.fully_read_at > kFullReadInterval;
    suspicions = known.suspicions;
  }
  if (!read_start(index)) return mark_suspect(index);
  const bool is_another = suspicions != suspicions_of(index);
  if ((is_version_due || is_another) && !read_version(index)) return mark_suspect(index);
  is_full_due = is_full_due || is_another;
  if (!is_full_due && read_newest(index, suspicions)) return;
  // What was marked until here was so before the reading begins.
  if (!read_all(index, suspicions_of(index))) mark_suspect(index);
}

/// A process that is another one may have another disk, whatever was written to it since: what it
/// scraped itself nobody writes again. False where it does not answer. Who does not say when it
/// began is known by its heartbeats alone.
bool Coverage::read_start(std::size_t index) {
  const auto answer = stores_[index].store->ask_and_wait(
      {std::nullopt, "/api/v1/status/runtimeinfo", {}, false, kPollTimeout});
  if (!answer) return answer.error().code == ErrorCode::kCorrupt;  // it has no such page
  if (!answer->is_success()) return true;
  const std::string began = json::read_text_of(answer->data(), "startTime");
  std::unique_lock lock(mutex_);
  Known& known = known_[index];
  const std::string before = std::exchange(known.began, began);
  lock.unlock();
  if (before.empty() || before == began) return true;
  service::log_info("a hot store has started anew, reading all that it holds",
                    {{"store", stores_[index].store->name()}});
  mark_suspect(index);
  return true;
}

bool Coverage::read_version(std::size_t index) {
  const auto answer = stores_[index].store->ask_and_wait(
      {std::nullopt, "/api/v1/status/buildinfo", {}, false, kPollTimeout});
  if (!answer || !answer->is_success()) return false;
  const std::lock_guard lock(mutex_);
  Known& known = known_[index];
  known.version = json::read_text_of(answer->data(), "version");
  known.version_at = clock_.steady();
  return true;
}

std::optional<std::map<std::string, TimestampMs>> Coverage::read_ahead(std::size_t index,
                                                                       TimestampMs now_ms) const {
  const auto beats =
      read_beats(index, now_ms + milliseconds(kAheadMax), kAheadMax - ShardCoverage::kAheadMin);
  if (!beats) return std::nullopt;
  std::map<std::string, TimestampMs> newest;
  for (const auto& [collector, times] : *beats) {
    if (!times.empty()) newest.emplace(collector, times.back());
  }
  return newest;
}

std::optional<BeatsByCollector> Coverage::read_beats(std::size_t index, TimestampMs until_ms,
                                                     Duration range) const {
  const std::string query =
      fmt::format("vigia_hot_heartbeat{{shard=\"{}\"}}[{}ms]", stores_[index].shard,
                  std::max<std::int64_t>(milliseconds(range), 1));
  const auto answer = stores_[index].store->ask_and_wait(
      {std::nullopt,
       "/api/v1/query",
       {{"query", query}, {"time", request::format_seconds(until_ms)}},
       true,
       kPollTimeout});
  if (!answer || !answer->is_success()) return std::nullopt;
  auto beats = json::read_matrix_times(answer->data(), "collector");
  if (!beats) return std::nullopt;
  return std::move(*beats);
}

std::optional<CustomerHoles::Seconds> Coverage::read_hole(std::size_t index, std::string_view kind,
                                                          Duration range) const {
  const std::string query = fmt::format(
      "max by (of_customer) (max_over_time(vigia_hot_hole{{shard=\"{}\",kind=\"{}\","
      "customer_id=\"\"}}[{}ms]))",
      stores_[index].shard, kind, milliseconds(range));
  const auto answer = stores_[index].store->ask_and_wait(
      {std::nullopt,
       "/api/v1/query",
       {{"query", query}, {"time", request::format_seconds(clock_.wall_ms())}},
       true,
       kPollTimeout});
  if (!answer || !answer->is_success()) return std::nullopt;
  auto values = json::read_vector_values(answer->data(), "of_customer");
  if (!values) return std::nullopt;
  return std::move(*values);
}

std::optional<Coverage::Holes> Coverage::read_holes(std::size_t index, Duration range) const {
  auto lost = read_hole(index, "lost", range);
  if (!lost) return std::nullopt;
  // A hole stands at the minute of the mark behind it, and ends no sooner than what the mark says.
  auto waiting = read_hole(index, "waiting", settings_.heartbeat_gap_max + std::chrono::minutes(1));
  if (!waiting) return std::nullopt;
  return Holes{std::move(*lost), std::move(*waiting)};
}

/// Whether the shard still has all heartbeats of a run.
bool Coverage::holds(std::size_t index, const std::string& collector,
                     const ShardCoverage::Run& run) const {
  // What was written without a name counts too: it may be the beginning of the run. One second more
  // to the left: 3.x leaves out a sample that lies exactly on the left end.
  const std::string query = fmt::format(
      "sum(count_over_time(vigia_hot_heartbeat{{shard=\"{}\",collector=~\"{}|\"}}[{}ms]))",
      stores_[index].shard, collector, run.last_ms - run.first_ms + 1'000);
  const auto answer = stores_[index].store->ask_and_wait(
      {std::nullopt,
       "/api/v1/query",
       {{"query", query}, {"time", request::format_seconds(run.last_ms)}},
       true,
       kPollTimeout});
  if (!answer || !answer->is_success()) return false;
  const auto count = json::read_vector_value(answer->data());
  return count && *count >= static_cast<double>(run.count);
}

bool Coverage::read_all(std::size_t index, std::uint64_t suspicions) {
  const TimestampMs now_ms = clock_.wall_ms();
  auto beats = read_beats(index, now_ms, settings_.edge + settings_.heartbeat_gap_max);
  if (!beats) return false;
  const auto ahead = read_ahead(index, now_ms);
  if (!ahead) return false;
  const auto holes = read_holes(index, settings_.edge + settings_.heartbeat_gap_max);
  if (!holes) return false;
  std::optional<Scrapes> scrapes = Scrapes{};
  if (stores_[index].is_of_pair) {
    scrapes = read_scrapes(*stores_[index].store, settings_.edge, now_ms, kPollTimeout);
  }
  if (!scrapes) return false;
  const std::lock_guard lock(mutex_);
  Known& known = known_[index];
  if (known.suspicions != suspicions) return true;  // somebody has just seen it fail: next poll
  known.coverage.replace(std::move(*beats));
  known.coverage.note_ahead(*ahead, now_ms);
  known.holes.replace(holes->lost, holes->waiting);
  known.scrapes = *scrapes;
  known.checked_at = clock_.steady();
  known.fully_read_at = known.checked_at;
  if (scrapes->is_open) known.fully_read_at.reset();  // the next poll looks again
  return true;
}

bool Coverage::read_newest(std::size_t index, std::uint64_t suspicions) {
  std::unique_lock lock(mutex_);
  const TimestampMs now_ms = clock_.wall_ms();
  const auto runs = known_[index].coverage.runs(now_ms);
  lock.unlock();
  if (runs.empty()) return false;  // all are silent for a day: whoever comes now is found anew
  TimestampMs newest_ms = now_ms;
  for (const auto& [collector, run] : runs) {
    newest_ms = std::min(newest_ms, run.last_ms);
    if (holds(index, collector, run)) continue;
    service::log_info("heartbeats are gone from the hot store, reading it anew",
                      {{"store", stores_[index].store->name()}, {"collector", collector}});
    mark_suspect(index);  // what it answers just now may lack them too
    return false;
  }
  const Duration since = std::chrono::milliseconds(now_ms - newest_ms);
  const auto beats = read_beats(index, clock_.wall_ms(), since + std::chrono::seconds(1));
  if (!beats) return false;
  const auto holes = read_holes(index, since + kHolesAgain);
  if (!holes) return false;
  lock.lock();
  Known& known = known_[index];
  if (known.suspicions != suspicions) return true;
  known.coverage.append(*beats);
  known.holes.update(holes->lost, holes->waiting);
  known.checked_at = clock_.steady();
  return true;
}

}  // namespace vigia::router::coverage
