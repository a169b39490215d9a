#include "services/storage/rolling/roller.hpp"

#include <algorithm>
#include <utility>

#include <sys/resource.h>

#include "libs/base/fault.hpp"
#include "libs/base/fault_owner.hpp"
#include "libs/service/log.hpp"

namespace vigia::storage::rolling {
namespace {

constexpr int kNice = 10;                // behind what is received and what is read
constexpr std::size_t kDaysATurn = 256;  // marks of one customer that are looked at in his turn
constexpr std::size_t kMarkSteps = 64;   // of the walk over unmarked rows, before each round
constexpr std::size_t kPutOffMax = 256;  // series of a customer
constexpr Duration kPutOffFirst = std::chrono::minutes(10);
constexpr Duration kPutOffLast = std::chrono::hours(24);
constexpr Duration kShortPause = std::chrono::milliseconds(10);
constexpr Duration kUntilRecords = std::chrono::seconds(1);  // by which time is told
constexpr Duration kLogEach = std::chrono::minutes(1);

TimestampMs end_ms_of(std::uint32_t day) { return (TimestampMs{day} + 1) * store::kDayMs; }

TimestampMs ms_of(Duration duration) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(duration).count();
}

}  // namespace

Roller::Roller(store::ColdStore& cold, RollupBook& book, RollerSources sources,
               RollerSettings settings)
    : cold_(cold),
      due_days_(*cold.chunks().due_days()),
      book_(book),
      sources_(std::move(sources)),
      settings_(settings),
      day_roller_(cold.chunks(), book, settings.memory_max) {}

Roller::~Roller() {
  {
    const std::lock_guard lock(mutex_);
    is_stopping_ = true;
    wake_.notify_all();
  }
  if (thread_.joinable()) thread_.join();
  contain_faults("storage: roll-ups", [this] { look_for_damage(); });
}

void Roller::start() {
  look_for_damage();
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
    const bool is_whole = contain_faults("storage: roll-ups", [&] { is_more = roll_round(); });
    {
      const std::lock_guard lock(mutex_);
      stats_.is_resting = is_whole && !is_more;
    }
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
  if (found == book_.note().damage) return;
  auto forgotten = book_.forget_marks(found);
  if (!forgotten) return note_failure(CustomerId::provider(), 0, forgotten.error().message);
  marked_up_to_.clear();
  is_walk_over_ = false;
}

// While rows may come back, or damage is not noted yet, a day without rows says nothing.
bool Roller::is_whole() const {
  return sources_.is_whole() && sources_.damage() == book_.note().damage;
}

// What lies there unmarked is marked step by step, and rolled up meanwhile. False where that did
// not move on.
bool Roller::mark_some() {
  if (book_.note().is_marked) {  // by another process, it may be, while this one was at it
    marked_up_to_.clear();
    is_walk_over_ = false;
    return false;
  }
  for (std::size_t i = 0; i < kMarkSteps && !is_walk_over_ && !is_stopping(); ++i) {
    auto next = due_days_.mark_stored(marked_up_to_);
    if (!next) {
      note_failure(CustomerId::provider(), 0, next.error().message);
      return i > 0;
    }
    marked_up_to_ = std::move(*next);
    is_walk_over_ = marked_up_to_.empty();
  }
  return !is_walk_over_ || end_walk();
}

// From which day on raw is whole is not known before the time is.
bool Roller::end_walk() {
  if (sources_.now_ms() <= 0) return false;
  const RollupNote note = book_.note();
  const auto first_of = [](std::uint32_t kept_day, std::uint32_t gone_day) {
    return std::max(kept_day, gone_day == 0 ? 0 : gone_day + 1);
  };
  const std::uint32_t kept_day = sources_.first_day();
  CustomerDays own = sources_.own_first_days();
  for (const auto& [customer, days] : note.own) own.try_emplace(customer, kept_day);
  for (auto& [customer, day] : own) day = first_of(day, note.days_of(customer).raw_gone_day);
  if (auto marked = book_.set_marked(first_of(kept_day, note.raw_gone_day), own); !marked) {
    note_failure(CustomerId::provider(), 0, marked.error().message);
    return false;
  }
  is_walk_over_ = false;
  return true;
}

bool Roller::roll_round() {
  if (auto read = book_.refresh(); !read) {
    note_failure(CustomerId::provider(), 0, read.error().message);
    return false;
  }
  look_for_damage();
  const bool has_marked = mark_some();
  std::uint64_t days = 0;
  bool has_ended_early = false;
  if (is_whole()) begin_turns();  // else marks are not looked at, so that they are later
  const TimePoint end = std::chrono::steady_clock::now() + settings_.round_max;
  while (!turns_.empty() && !is_stopping() && is_whole()) {
    days += take_turns();
    has_ended_early = !turns_.empty() && std::chrono::steady_clock::now() >= end;
    if (has_ended_early) break;
    look_for_damage();
  }
  count_due();
  tell_progress();
  return has_marked || days > 0 || has_ended_early;
}

// Behind those that have not come to the end in the round before.
void Roller::begin_turns() {
  for (CustomerId& customer : cold_.catalog().customers()) {
    const bool has_begun = std::any_of(turns_.begin(), turns_.end(),
                                       [&](const Turn& turn) { return turn.customer == customer; });
    if (!has_begun && begin_look(customer)) turns_.push_back({std::move(customer), {}});
  }
}

// One of each customer. How many days are settled.
std::uint64_t Roller::take_turns() {
  std::uint64_t days = 0;
  for (Turn& turn : turns_) {
    const FaultOwner owner(turn.customer.text());
    const bool went_well =
        contain_faults("storage: roll-ups of a customer", [&] { days += take_turn(turn); });
    if (!went_well) {
      turn.is_over = true;
      looks_[turn.customer].first = 0;
    }
    if (turn.is_over) due_days_.let_go(turn.customer);
    if (is_stopping()) break;
  }
  std::erase_if(turns_, [](const Turn& turn) { return turn.is_over; });
  return days;
}

void Roller::count_due() {
  const std::lock_guard lock(mutex_);
  stats_.days_due = 0;
  stats_.customers_left = turns_.size();
  stats_.oldest_due_ms = 0;
  for (const auto& [customer, look] : looks_) {
    stats_.days_due += look.days_due;
    if (look.oldest_due_ms == 0) continue;
    const bool is_first = stats_.oldest_due_ms == 0 || look.oldest_due_ms < stats_.oldest_due_ms;
    if (is_first) stats_.oldest_due_ms = look.oldest_due_ms;
  }
}

// Of a store that had none, whose days of a year are made at first, say. What is done within a
// minute is not worth a line.
void Roller::tell_progress() {
  const TimePoint now = std::chrono::steady_clock::now();
  const RollerStats stats = this->stats();
  if (book_.note().is_marked && turns_.empty()) {
    if (std::exchange(has_told_progress_, false)) {
      service::log_info("roll-ups are made of all days that are over",
                        {{"days_made", std::to_string(stats.days)}});
    }
    next_progress_.reset();
    return;
  }
  if (!next_progress_.has_value()) next_progress_ = now + kLogEach;
  if (now < *next_progress_) return;
  next_progress_ = now + kLogEach;
  has_told_progress_ = true;
  service::log_info("roll-ups are made of days that were over before; till then raw is read",
                    {{"days_made", std::to_string(stats.days)},
                     {"customers_left", std::to_string(stats.customers_left)}});
}

// Days before that one.
std::uint32_t Roller::days_over() const {
  const TimestampMs over_ms = sources_.now_ms() - ms_of(settings_.grace);
  return over_ms < store::kDayMs ? 0 : store::day_of(over_ms);
}

// Not where nothing that is marked is over: nearly always.
bool Roller::begin_look(const CustomerId& customer) {
  Look& look = looks_[customer];
  look.first = std::min(look.first, due_days_.take_first_marked(customer));
  const std::uint32_t over = days_over();
  if (look.first >= over) return false;
  if (over == look.over && std::chrono::steady_clock::now() < look.next) return false;
  look = {};
  look.first = UINT32_MAX;
  look.over = over;
  return true;
}

// How many days it has settled.
std::uint64_t Roller::take_turn(Turn& turn) {
  Look& look = looks_[turn.customer];
  const auto is_own = due_days_.claim(turn.customer);
  if (!is_own || !*is_own) {  // another process makes them: what it leaves is looked at later
    turn.is_over = true;
    look.first = 0;
    if (!is_own) note_failure(turn.customer, 0, is_own.error().message);
    return 0;
  }
  const auto days = due_days_.due(turn.customer, turn.next, kDaysATurn);
  if (!days) {
    turn.is_over = true;
    look.first = 0;
    note_failure(turn.customer, 0, days.error().message);
    return 0;
  }
  turn.is_over = days->size() < kDaysATurn;
  look.marks += days->size();
  look.next = std::chrono::steady_clock::now() + look.marks * settings_.pause_per_mark;
  if (days->empty()) return 0;
  turn.next = after(days->back().place);
  const SettledDays settled = roll(turn.customer, over_days(*days, look), look);
  if (!is_whole()) {  // what was read may lack rows that went meanwhile: the marks stay
    turn.is_over = true;
    look.first = 0;
    return 0;
  }
  settle(turn.customer, settled);
  return settled.done.size() + settled.lost.size();
}

// Of what is not over yet, it is kept in mind when that begins.
std::vector<store::DueDay> Roller::over_days(const std::vector<store::DueDay>& days,
                                             Look& look) const {
  std::vector<store::DueDay> over;
  for (const store::DueDay& day : days) {
    if (day.kind == store::DueKind::kLost) continue;
    if (day.place.day < look.over) {
      over.push_back(day);
    } else {
      look.first = std::min(look.first, day.place.day);
    }
  }
  return over;
}

SettledDays Roller::roll(const CustomerId& customer, const std::vector<store::DueDay>& days,
                         Look& look) {
  const auto goes_on = [](const store::DueDay& left, const store::DueDay& right) {
    return left.place.series == right.place.series && left.place.day + 1 == right.place.day;
  };
  SettledDays settled;
  for (std::size_t from = 0; from < days.size();) {
    std::size_t to = from + 1;
    while (to < days.size() && to - from < DayRoller::kDaysMax && goes_on(days[to - 1], days[to])) {
      ++to;
    }
    if (is_stopping()) break;
    roll_run(customer, std::span(days).subspan(from, to - from), look, settled);
    from = to;
  }
  return settled;
}

// After their windows were put.
void Roller::settle(const CustomerId& customer, const SettledDays& settled) {
  Result<void> done;
  if (!settled.done.empty()) done = due_days_.done(customer, settled.done);
  if (done && !settled.lost.empty()) done = due_days_.set_lost(customer, settled.lost);
  if (done) {
    const std::lock_guard lock(mutex_);
    stats_.days_lost += settled.lost.size();
    return;
  }
  looks_[customer].first = 0;
  note_failure(customer, settled.done.size() + settled.lost.size(), done.error().message);
}

void Roller::roll_run(const CustomerId& customer, std::span<const store::DueDay> days, Look& look,
                      SettledDays& settled) {
  const store::SeriesId series = days.front().place.series;
  if (is_put_off(customer, series)) return note_due(days, look);
  Result<RolledCounts> rolled = fail(ErrorCode::kInternal, "a fault of this program");
  contain_faults("storage: roll-ups of a series", [&] {
    const auto key = key_of(customer, series);
    if (!key) {
      rolled = tl::unexpected<Error>(key.error());
    } else {
      rolled = day_roller_.roll(customer, *key, days, settled);
    }
  });
  if (!rolled) {
    if (rolled.error().code != ErrorCode::kUnavailable) put_off(customer, series);
    note_due(days, look);
    return note_failure(customer, days.size(), rolled.error().message);
  }
  if (rolled->days_too_large > 0) {
    put_off(customer, series);
    note_due(days, look);
    note_failure(customer, rolled->days_too_large, "too many samples lie in one day of a series");
  } else if (const auto at = put_off_.find(customer); at != put_off_.end()) {
    at->second.erase(series);
  }
  const std::lock_guard lock(mutex_);
  stats_.days += rolled->days;
  stats_.windows += rolled->windows;
  stats_.days_gone += rolled->days_gone;
  stats_.unreadable_rows += rolled->unreadable_rows;
  stats_.windows_kept += rolled->windows_kept;
}

void Roller::note_due(std::span<const store::DueDay> days, Look& look) {
  look.days_due += days.size();
  look.first = std::min(look.first, days.front().place.day);
  const TimestampMs end_ms = end_ms_of(days.front().place.day);
  if (look.oldest_due_ms == 0 || end_ms < look.oldest_due_ms) look.oldest_due_ms = end_ms;
}

bool Roller::is_put_off(const CustomerId& customer, store::SeriesId series) const {
  const auto own = put_off_.find(customer);
  if (own == put_off_.end()) return false;
  const auto at = own->second.find(series);
  return at != own->second.end() && std::chrono::steady_clock::now() < at->second.until;
}

// Of more than some series of one customer the first is tried again sooner.
void Roller::put_off(const CustomerId& customer, store::SeriesId series) {
  auto& own = put_off_[customer];
  if (own.size() >= kPutOffMax && !own.contains(series)) own.erase(own.begin());
  PutOff& entry = own[series];
  entry.pause = entry.pause == Duration(0) ? kPutOffFirst : std::min(2 * entry.pause, kPutOffLast);
  entry.until = std::chrono::steady_clock::now() + entry.pause;
}

store::DuePlace Roller::after(const store::DuePlace& place) {
  if (place.day < UINT32_MAX) return {place.series, place.day + 1};
  return {{place.series.value + 1}, 0};
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
