#include "services/storage/rolling/roller.hpp"

#include <algorithm>

#include <sys/resource.h>

#include "libs/base/fault.hpp"
#include "libs/base/fault_owner.hpp"
#include "libs/service/log.hpp"

namespace vigia::storage::rolling {
namespace {

constexpr int kNice = 10;                // behind what is received and what is read
constexpr std::size_t kDaysATurn = 256;  // marks of one customer that are looked at in his turn
constexpr std::size_t kMarkSteps = 64;   // of the walk over unmarked rows, before each round
constexpr TimestampMs kHeldMax = 7;      // days that raw is kept longer for
constexpr Duration kShortPause = std::chrono::milliseconds(10);
constexpr Duration kUntilRecords = std::chrono::seconds(1);  // by which time is told
constexpr Duration kLogEach = std::chrono::minutes(1);

TimestampMs end_ms_of(std::uint32_t day) { return (TimestampMs{day} + 1) * store::kDayMs; }

}  // namespace

Roller::Roller(store::ColdStore& cold, RollupBook& book, RollerSources sources,
               RollerSettings settings)
    : cold_(cold),
      due_days_(*cold.chunks().due_days()),
      book_(book),
      sources_(std::move(sources)),
      settings_(settings),
      day_roller_(cold.chunks(), book) {}

Roller::~Roller() {
  {
    const std::lock_guard lock(mutex_);
    is_stopping_ = true;
    wake_.notify_all();
  }
  if (thread_.joinable()) thread_.join();
}

void Roller::start() {
  thread_ = std::thread([this] { run(); });
}

bool Roller::is_stopping() const {
  const std::lock_guard lock(mutex_);
  return is_stopping_;
}

RollerStats Roller::stats() const {
  const std::lock_guard lock(mutex_);
  return stats_;
}

void Roller::run() {
  (void)setpriority(PRIO_PROCESS, 0, kNice);
  for (bool goes_on = true; goes_on;) {
    bool is_more = false;
    contain_faults("storage: roll-ups", [&] { is_more = roll_round() || !book_.note().is_marked; });
    const bool is_time_known = sources_.now_ms() > 0;
    goes_on = wait_for_round(is_more         ? kShortPause
                             : is_time_known ? settings_.interval
                                             : std::min(settings_.interval, kUntilRecords));
  }
}

// False when it is being stopped.
bool Roller::wait_for_round(Duration longest) {
  std::unique_lock lock(mutex_);
  wake_.wait_for(lock, longest, [this] { return is_stopping_ || is_wanted_; });
  is_wanted_ = false;
  return !is_stopping_;
}

// What was lost is not told by days or rows: all that is there is made anew.
void Roller::look_for_damage() {
  const std::uint64_t found = sources_.damage();
  if (found <= damage_seen_) return;
  auto forgotten = book_.forget_marks();
  if (!forgotten) return note_failure(CustomerId::provider(), 0, forgotten.error().message);
  damage_seen_ = found;
  marked_up_to_.clear();
}

// What lies there unmarked is marked step by step, and rolled up meanwhile.
void Roller::mark_some() {
  if (book_.note().is_marked) return;
  const std::uint32_t first_day = sources_.first_day();
  for (std::size_t i = 0; i < kMarkSteps && !is_stopping(); ++i) {
    auto next = due_days_.mark_stored(marked_up_to_);
    if (!next) return note_failure(CustomerId::provider(), 0, next.error().message);
    marked_up_to_ = std::move(*next);
    if (!marked_up_to_.empty()) continue;
    auto marked = book_.set_marked(first_day);
    if (!marked) note_failure(CustomerId::provider(), 0, marked.error().message);
    return;
  }
}

bool Roller::roll_round() {
  look_for_damage();
  mark_some();
  RollerStats round;
  std::vector<Turn> turns;
  for (CustomerId& customer : cold_.catalog().customers())
    turns.push_back({std::move(customer), {}});
  while (!turns.empty() && !is_stopping()) {
    for (Turn& turn : turns) {
      const FaultOwner owner(turn.customer.text());
      const bool went_well =
          contain_faults("storage: roll-ups of a customer", [&] { take_turn(turn, round); });
      if (!went_well) turn.is_over = true;
      if (is_stopping()) break;
    }
    std::erase_if(turns, [](const Turn& turn) { return turn.is_over; });
  }
  const std::lock_guard lock(mutex_);
  stats_.days_due = round.days_due;
  stats_.oldest_due_ms = round.oldest_due_ms;
  return round.days > 0;
}

void Roller::take_turn(Turn& turn, RollerStats& round) {
  const auto days = due_days_.due(turn.customer, turn.next, kDaysATurn);
  if (!days) {
    turn.is_over = true;
    return note_failure(turn.customer, 0, days.error().message);
  }
  turn.is_over = days->size() < kDaysATurn;
  if (days->empty()) return;
  turn.next = days->back().place;
  ++turn.next.day;  // a day of the year 11 million is not marked
  roll(turn.customer, over_days(*days), round);
}

std::vector<store::DueDay> Roller::over_days(const std::vector<store::DueDay>& days) const {
  const TimestampMs grace_ms =
      std::chrono::duration_cast<std::chrono::milliseconds>(settings_.grace).count();
  const TimestampMs over_ms = sources_.now_ms() - grace_ms;
  std::vector<store::DueDay> over;
  for (const store::DueDay& day : days) {
    if (end_ms_of(day.place.day) <= over_ms) over.push_back(day);
  }
  return over;
}

void Roller::roll(const CustomerId& customer, const std::vector<store::DueDay>& days,
                  RollerStats& round) {
  const auto goes_on = [](const store::DueDay& left, const store::DueDay& right) {
    return left.place.series == right.place.series && left.place.day + 1 == right.place.day;
  };
  for (std::size_t from = 0; from < days.size();) {
    std::size_t to = from + 1;
    while (to < days.size() && to - from < DayRoller::kDaysMax && goes_on(days[to - 1], days[to])) {
      ++to;
    }
    if (is_stopping()) return;
    roll_run(customer, std::span(days).subspan(from, to - from), round);
    from = to;
  }
}

void Roller::roll_run(const CustomerId& customer, std::span<const store::DueDay> days,
                      RollerStats& round) {
  Result<RolledCounts> rolled = fail(ErrorCode::kInternal, "a fault of this program");
  contain_faults("storage: roll-ups of a series", [&] {
    const auto key = key_of(customer, days.front().place.series);
    if (!key) {
      rolled = tl::unexpected<Error>(key.error());
    } else {
      rolled = day_roller_.roll(customer, *key, days);
    }
  });
  if (!rolled) {
    round.days_due += days.size();
    const TimestampMs end_ms = end_ms_of(days.front().place.day);
    if (round.oldest_due_ms == 0 || end_ms < round.oldest_due_ms) round.oldest_due_ms = end_ms;
    return note_failure(customer, days.size(), rolled.error().message);
  }
  round.days += rolled->days + rolled->days_gone;
  const std::lock_guard lock(mutex_);
  stats_.days += rolled->days;
  stats_.windows += rolled->windows;
  stats_.days_gone += rolled->days_gone;
  stats_.unreadable_rows += rolled->unreadable_rows;
}

Result<std::uint32_t> Roller::first_due_day() {
  constexpr std::size_t kAtOnce = 1'024;
  std::uint32_t first = UINT32_MAX;
  const std::uint32_t gone = book_.note().raw_gone_day;
  for (const CustomerId& customer : cold_.catalog().customers()) {
    for (store::DuePlace from;;) {
      const auto days = due_days_.due(customer, from, kAtOnce);
      if (!days) return tl::unexpected<Error>(days.error());
      for (const store::DueDay& day : *days) {
        if (day.place.day > gone) first = std::min(first, day.place.day);
      }
      if (days->size() < kAtOnce) break;
      from = days->back().place;
      ++from.day;
    }
  }
  return first;
}

// The windows of a day hold samples of chunks that begin on the day before it, on it, and on the
// stroke of the next one.
Result<TimestampMs> Roller::let_raw_go(TimestampMs before_ms) {
  const auto due = first_due_day();
  if (!due) return tl::unexpected<Error>(due.error());
  TimestampMs held_ms = before_ms;
  if (*due != UINT32_MAX) {
    held_ms = (TimestampMs{*due} - 1) * store::kDayMs + store::kChunkSpanMs;
    held_ms = std::clamp(held_ms, before_ms - kHeldMax * store::kDayMs, before_ms);
    const std::lock_guard lock(mutex_);
    is_wanted_ = held_ms < before_ms;
    wake_.notify_all();
  }
  const TimestampMs day = (held_ms - store::kChunkSpanMs) / store::kDayMs;
  if (day > 0) {
    auto noted = book_.set_raw_gone(static_cast<std::uint32_t>(day));
    if (!noted) return forward(noted);
  }
  return held_ms;
}

Result<store::SeriesKey> Roller::key_of(const CustomerId& customer, store::SeriesId series) const {
  if (!cold_.chunks().needs_metric()) return store::SeriesKey{"", series};
  auto metrics = cold_.catalog().metrics_of(customer, {series});
  if (!metrics) return forward(metrics);
  return store::SeriesKey{std::move(metrics->front()), series};
}

void Roller::note_failure(const CustomerId& customer, std::size_t days, const std::string& why) {
  const TimePoint now = std::chrono::steady_clock::now();
  {
    const std::lock_guard lock(mutex_);
    stats_.failures += std::max<std::size_t>(days, 1);
    if (now < next_log_) return;
    next_log_ = now + kLogEach;
  }
  service::log_warn("roll-ups cannot be made yet, trying again; raw samples are read instead",
                    {{"customer", customer.text()}, {"why", why}});
}

}  // namespace vigia::storage::rolling
