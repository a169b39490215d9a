#include "services/storage/healing/healer.hpp"

#include <algorithm>
#include <set>
#include <utility>

#include <fmt/format.h>
#include <sys/resource.h>

#include "libs/base/fault.hpp"
#include "libs/base/fault_owner.hpp"
#include "libs/base/rfc3339.hpp"
#include "libs/service/log.hpp"

namespace vigia::storage::healing {
namespace {

constexpr std::string_view kPlace = "storage: healing from hot";
constexpr int kNice = 10;   // behind whoever writes and reads
constexpr int kLooks = 10;  // in the time of a stretch
constexpr Duration kLookMin = std::chrono::milliseconds(100);
constexpr Duration kLookMax = std::chrono::minutes(1);
constexpr Duration kShortPause = std::chrono::milliseconds(100);
constexpr Duration kRoundMax = std::chrono::minutes(10);
constexpr Duration kStretchMax = std::chrono::minutes(2);
constexpr Duration kPutOffMax = std::chrono::minutes(5);
constexpr std::size_t kUnansweredMax = 3;  // in a row: all others would wait in vain, too
constexpr Duration kClockStep = std::chrono::minutes(1);  // a clock that is set right by so much
constexpr std::size_t kSlowMax = 3;       // times that a stretch is too slow for hot; then in parts
constexpr std::size_t kFailuresMax = 12;  // times that a stretch fails; then without it
constexpr TimestampMs kSpanMax_ms = 24 * 3'600'000;
constexpr TimestampMs kSpanMin_ms = 60'000;  // what is too large is halved down to it

TimestampMs in_ms(Duration duration) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(duration).count();
}

// What is in the stretch, or how much, may be why: another time, or less of it, may pass.
bool is_of_stretch(const Error& error) {
  return error.code == ErrorCode::kOverLimit || error.code == ErrorCode::kCorrupt ||
         error.code == ErrorCode::kDeadline;
}

bool is_unanswered(const Error& error) {
  return error.code == ErrorCode::kUnavailable || error.code == ErrorCode::kDeadline;
}

std::string text_of(TimestampMs time_ms) {
  return format_rfc3339(time_ms).value_or(fmt::to_string(time_ms));
}

std::uint64_t sum_of(const RefusedCounts& refused) {
  std::uint64_t sum = 0;
  for (const std::uint64_t samples : refused) sum += samples;
  return sum;
}

}  // namespace

Healer::Healer(const HealSettings& settings, std::unique_ptr<HotStore> hot, HealNote note,
               const ColdParts& cold, HealSources sources, const Clock& clock)
    : settings_(settings),
      interval_ms_(in_ms(settings.interval)),
      hot_(std::move(hot)),
      note_(std::move(note)),
      cold_(cold),
      sources_(std::move(sources)),
      clock_(clock) {
  auto noted = note_.load();
  is_first_start_ = !noted.has_value();
  if (noted) healed_ = *std::move(noted);
  for (const auto& [customer, up_to_ms] : healed_) noted_ms_ = std::max(noted_ms_, up_to_ms);
  for (CustomerId& customer : cold_.catalog.customers()) {
    if (!healed_.contains(customer)) came_before_.insert(std::move(customer));
  }
  if (const auto floor = note_.floor_ms()) {
    floor_ms_ = *floor;
  } else {
    service::log_warn(
        "when a customer was deleted last cannot be told: nothing is healed from hot "
        "of the time before now, of whoever is in no note",
        {{"why", floor.error().message}});
  }
}

void Healer::stop() {
  *is_stopping_ = true;
  {
    const std::lock_guard lock(mutex_);  // whoever is about to wait has looked before, or sees it
    wake_.notify_all();
  }
  hot_->close();
  if (thread_.joinable()) thread_.join();
}

void Healer::start() {
  thread_ = std::thread([this] { run(); });
}

HealStats Healer::stats() const {
  const std::lock_guard lock(mutex_);
  return stats_;
}

void Healer::run() {
  (void)setpriority(PRIO_PROCESS, 0, kNice);
  const Duration look = std::clamp<Duration>(settings_.interval / kLooks, kLookMin, kLookMax);
  bool is_more = false;
  while (!is_stopping()) {
    {
      std::unique_lock lock(mutex_);
      wake_.wait_for(lock, is_more ? kShortPause : look, [this] { return is_stopping(); });
    }
    is_more = false;
    if (!is_stopping()) contain_faults(kPlace, [&] { is_more = heal_round(); });
  }
}

TimestampMs Healer::up_to(TimestampMs time_ms) const {
  return std::max<TimestampMs>(time_ms, 0) / interval_ms_ * interval_ms_;
}

// Before it all stretches are over, and what Prometheus has of them is sent.
TimestampMs Healer::closed_ms() const {
  const TimestampMs now_ms = sources_.now_ms();
  return now_ms == 0 ? 0 : up_to(now_ms - in_ms(settings_.settle));
}

TimestampMs Healer::begin_of(const CustomerId& customer) const {
  // What the intake refuses, by late_max, is not fetched.
  return std::max(
      {healed_.at(customer), sources_.kept_from_ms(customer), cold_.times().oldest.taken_ms});
}

// Whoever is in no note that could be read has come since it was written, and hot has made nothing
// of his that is missing here: what it has from before is of one who was deleted, and is to stay
// so. Who came in the last moments before a stop is behind since then, not since the start.
TimestampMs Healer::first_begin(const CustomerId& customer, TimestampMs closed) const {
  if (!floor_ms_) return closed;
  TimestampMs begin_ms = closed;
  if (is_first_start_)
    begin_ms = up_to(sources_.now_ms() - in_ms(settings_.back));
  else if (noted_ms_ > 0 && came_before_.contains(customer))
    begin_ms = noted_ms_;
  return std::min(std::max(begin_ms, *floor_ms_), closed);
}

// What lies ahead was written while the clock was ahead: nobody knows how much was compared before
// it had come. By this clock too: records that come late are no reason to compare again.
void Healer::set_back(TimestampMs closed) {
  const TimestampMs known_ms =
      std::max(closed, up_to(clock_.wall_ms() - in_ms(settings_.settle) + in_ms(kClockStep)));
  const TimestampMs begin_ms = up_to(closed - in_ms(settings_.back));
  std::size_t customers = 0;
  TimestampMs latest_ms = 0;
  for (auto& [customer, up_to_ms] : healed_) {
    if (up_to_ms <= known_ms) continue;
    latest_ms = std::max(latest_ms, up_to_ms);
    up_to_ms = begin_ms;
    ++customers;
  }
  if (customers == 0) return;
  is_noted_ = false;
  service::log_warn("the clock was ahead: what was healed from hot is compared again",
                    {{"customers", fmt::to_string(customers)},
                     {"up_to", text_of(latest_ms)},
                     {"from", text_of(begin_ms)}});
}

bool Healer::heal_round() {
  const TimestampMs closed = closed_ms();
  if (closed == 0 || clock_.steady() < hot_put_off_ || !sources_.is_whole()) return false;
  set_back(closed);
  std::vector<Turn> turns = begin_turns(closed);
  if (turns.empty()) {
    if (!is_noted_) keep_note();  // after a stop he would begin behind it
    return false;
  }
  const HealStats before = stats();
  unanswered_ = 0;
  first_failure_.clear();
  bool is_more = false;
  if (const auto learnt = learn_customers(turns, closed); !learnt) {
    hot_put_off_ = clock_.steady() + std::min(settings_.interval, kPutOffMax);
    note_failure(settings_.prometheus, learnt.error());
  } else {
    is_more = take_turns(turns, closed);
  }
  keep_note();
  tell(before, closed);
  return is_more;
}

// Whoever has a stretch that is over and was not compared, but for those who are put off. What was
// known of customers who are gone goes.
std::vector<Healer::Turn> Healer::begin_turns(TimestampMs closed) {
  std::set<CustomerId> customers = {CustomerId::provider()};
  for (CustomerId& customer : cold_.catalog.customers()) customers.insert(std::move(customer));
  std::erase_if(healed_, [&](const auto& one) { return !customers.contains(one.first); });
  std::erase_if(failing_, [&](const auto& one) { return !customers.contains(one.first); });
  std::erase_if(put_off_, [&](const auto& one) { return one.second <= clock_.steady(); });
  std::vector<Turn> turns;
  for (const CustomerId& customer : customers) {
    // Kept: a beginning that does not move on.
    if (healed_.try_emplace(customer, first_begin(customer, closed)).second) is_noted_ = false;
    if (put_off_.contains(customer)) continue;
    const TimestampMs begin_ms = begin_of(customer);
    if (begin_ms < closed) turns.push_back({customer, begin_ms, interval_ms_});
  }
  // A round may end before all had a turn: always by name, the last would never have one.
  std::stable_sort(turns.begin(), turns.end(), [](const Turn& left, const Turn& right) {
    return left.begin_ms < right.begin_ms;
  });
  return turns;
}

// Of whom hot has nothing, nothing is missing. Of whom the store knows nothing, nothing is taken:
// he may be made up, and once he has sent anything he begins like everybody.
Result<void> Healer::learn_customers(std::vector<Turn>& turns, TimestampMs closed) {
  TimestampMs begin_ms = closed;
  for (const Turn& turn : turns) begin_ms = std::min(begin_ms, turn.begin_ms);
  auto names = hot_->customers({begin_ms, closed - 1});
  if (!names) return forward(names);
  std::set<std::string_view> known;
  const std::vector<CustomerId> customers = cold_.catalog.customers();
  for (const CustomerId& customer : customers) known.insert(customer.text());
  const std::set<std::string_view> named(names->begin(), names->end());
  const auto unknown = std::count_if(named.begin(), named.end(),
                                     [&](std::string_view name) { return !known.contains(name); });
  std::erase_if(turns, [&](const Turn& turn) {
    if (turn.customer.is_provider() || named.contains(turn.customer.text())) return false;
    healed_.insert_or_assign(turn.customer, closed);
    return true;
  });
  const std::lock_guard lock(mutex_);
  stats_.unknown_customers = static_cast<std::uint64_t>(unknown);
  return {};
}

// True where time was over before they were.
bool Healer::take_turns(std::vector<Turn>& turns, TimestampMs closed) {
  const TimePoint end = clock_.steady() + kRoundMax;
  while (!turns.empty()) {
    for (Turn& turn : turns) {
      if (is_stopping() || unanswered_ >= kUnansweredMax || !sources_.is_whole()) return false;
      if (clock_.steady() >= end) return true;
      take_turn(turn, closed);
    }
    std::erase_if(turns, [](const Turn& turn) { return turn.is_over; });
  }
  return false;
}

// One stretch. Behind one of which hot has nothing a longer one: an interval at a time through what
// it does not keep any more would be a question for nothing each.
void Healer::take_turn(Turn& turn, TimestampMs closed) {
  const TimestampMs begin_ms = begin_of(turn.customer);
  const TimestampMs end_ms = std::min(up_to(begin_ms) + turn.span_ms, closed);
  Result<std::uint64_t> healed = fail(ErrorCode::kInternal, "a fault of this program, see its log");
  const FaultOwner owner(turn.customer.text());
  is_hot_silent_ = false;
  contain_faults(kPlace, [&] { healed = heal(turn.customer, {begin_ms, end_ms - 1}); });
  if (!healed) {
    turn.is_over = true;
    return put_off(turn, begin_ms, healed.error());
  }
  failing_.erase(turn.customer);
  unanswered_ = 0;
  healed_.insert_or_assign(turn.customer, end_ms);
  turn.is_over = end_ms >= closed;
  turn.span_ms =
      *healed > 0 ? interval_ms_ : std::max(interval_ms_, std::min(2 * turn.span_ms, kSpanMax_ms));
  const std::lock_guard lock(mutex_);
  ++stats_.stretches;
}

void Healer::put_off(const Turn& turn, TimestampMs begin_ms, const Error& error) {
  if (is_stopping()) return;
  const CustomerId& customer = turn.customer;
  if (is_of_stretch(error)) {
    Failing& failing = failing_[customer];
    failing.times = failing.begin_ms == begin_ms ? failing.times + 1 : 1;
    failing.begin_ms = begin_ms;
    failing.answers = answers_;
  }
  // What fails here, for want of the customer's share or of room, says nothing of the others.
  unanswered_ = is_hot_silent_ ? unanswered_ + 1 : 0;
  put_off_[customer] = clock_.steady() + std::min(settings_.interval, kPutOffMax);
  note_failure(customer.text(), error);
}

// Where hot is slow less of a time is asked for only once it was so several times: that helps
// nothing while it is slow for all.
bool Healer::may_be_cut(const CustomerId& customer, const Error& error) const {
  if (error.code == ErrorCode::kTooLarge) return true;
  if (!is_of_stretch(error) || !is_hot_silent_) return is_of_stretch(error);
  const auto failing = failing_.find(customer);
  return failing != failing_.end() && failing->second.times >= kSlowMax;
}

// Of the smallest. While hot answers nobody it is not the stretch that is wrong.
bool Healer::is_hopeless(const CustomerId& customer, const Error& error) const {
  if (error.code == ErrorCode::kTooLarge) return true;
  const auto failing = failing_.find(customer);
  if (!is_of_stretch(error) || failing == failing_.end()) return false;
  return failing->second.times >= kFailuresMax &&
         (!is_hot_silent_ || answers_ > failing->second.answers);
}

void Healer::pass_over(const CustomerId& customer, const Stretch& stretch, const Error& error) {
  service::log_error("a stretch of hot cannot be healed and is passed over",
                     {{"customer", customer.text()},
                      {"from", text_of(stretch.from_ms)},
                      {"to", text_of(stretch.to_ms)},
                      {"why", error.message},
                      {"next", "vigia-storage backfill --customer brings it"}});
  const std::lock_guard lock(mutex_);
  ++stats_.passed_over;
}

// In parts where the answer is too large or the stretch fails, and where the smallest is or always
// does, without it: it would hold up all that comes after.
Result<std::uint64_t> Healer::heal(const CustomerId& customer, const Stretch& stretch) {
  auto healed = heal_once(customer, stretch);
  if (healed || !may_be_cut(customer, healed.error())) return healed;
  const TimestampMs span_ms = stretch.to_ms - stretch.from_ms + 1;
  if (span_ms / 2 < kSpanMin_ms) {
    if (!is_hopeless(customer, healed.error())) return healed;
    pass_over(customer, stretch, healed.error());
    return 1U;
  }
  const TimestampMs middle_ms = stretch.from_ms + span_ms / 2;
  const auto first = heal(customer, {stretch.from_ms, middle_ms - 1});
  if (!first) return first;
  const auto second = heal(customer, {middle_ms, stretch.to_ms});
  return second ? *first + *second : second;
}

Result<std::uint64_t> Healer::heal_once(const CustomerId& customer, const Stretch& stretch) {
  const auto stream = hot_->made_series(customer, stretch);
  is_hot_silent_ = !stream && is_unanswered(stream.error());
  if (stream) ++answers_;
  if (!stream) return forward(stream);
  const store::WorkLimit limit(clock_, kStretchMax, is_stopping_);
  HoleFiller filler(customer, stretch, cold_, limit);
  auto filled = each_hot_series(customer, stretch, *stream, filler.refused(),
                                [&](HotSeries series) { return filler.add(std::move(series)); });
  if (filled) filled = filler.finish();
  const std::lock_guard lock(mutex_);
  stats_.counts += filler.counts();
  if (!filled) return forward(filled);
  return filler.counts().compared;
}

void Healer::note_failure(const std::string& whose, const Error& error) {
  if (first_failure_.empty()) first_failure_ = fmt::format("{}: {}", whose, error.message);
  const std::lock_guard lock(mutex_);
  ++stats_.failures;
}

// Where it cannot be kept a restart compares again.
void Healer::keep_note() {
  const auto kept = note_.keep(healed_);
  is_noted_ = kept.has_value();
  if (!kept) note_failure("the note", kept.error());
}

void Healer::tell(const HealStats& before, TimestampMs closed) {
  TimestampMs behind_ms = 0;
  for (const auto& [customer, up_to_ms] : healed_) {
    if (up_to_ms < closed && (behind_ms == 0 || up_to_ms < behind_ms)) behind_ms = up_to_ms;
  }
  HealStats now;
  {
    const std::lock_guard lock(mutex_);
    stats_.behind_ms = behind_ms;
    now = stats_;
  }
  const auto more = [](std::uint64_t after, std::uint64_t first) {
    return fmt::to_string(after - first);
  };
  service::log_info("compared with hot",
                    {{"up_to", text_of(closed)},
                     {"stretches", more(now.stretches, before.stretches)},
                     {"samples", more(now.counts.compared, before.counts.compared)},
                     {"holes", more(now.counts.holes, before.counts.holes)},
                     {"fetched", more(now.counts.fetched, before.counts.fetched)},
                     {"refused", more(sum_of(now.counts.refused), sum_of(before.counts.refused))},
                     {"unknown_customers", fmt::to_string(now.unknown_customers)}});
  if (first_failure_.empty()) return;
  service::log_warn("healing from hot failed for some, trying again",
                    {{"failures", more(now.failures, before.failures)}, {"first", first_failure_}});
}

}  // namespace vigia::storage::healing
