#include "services/collector/delivery/parcel_delivery.hpp"

#include <algorithm>
#include <utility>

#include "libs/base/random.hpp"
#include "libs/delivery/backoff.hpp"

namespace vigia::collector::delivery {
namespace {

/// The longest wait between two looks at go_on.
constexpr auto kLookInterval = std::chrono::milliseconds(500);

/// The destination has said "not now", and not of what is in the request.
bool is_wait(const Answer& answer) {
  return answer.kind == Answer::Kind::kRetry && !answer.is_timeout && !answer.is_too_new;
}

}  // namespace

/// Shared with the transport's callbacks, which may come after the run, or the delivery, has ended.
struct ParcelDelivery::Inbox {
  struct Item {
    std::uint64_t round = 0;
    std::uint64_t request = 0;
    std::size_t task = 0;
    bool is_extra = false;
    TimePoint sent{};
    Answer answer;
  };
  std::mutex mutex;
  std::condition_variable arrived;
  std::deque<Item> items;
  bool is_woken = false;
  TimePoint stop_deadline{};

  void wake() {
    {
      const std::lock_guard lock(mutex);
      is_woken = true;
    }
    arrived.notify_all();
  }
};

ParcelDelivery::ParcelDelivery(DeliverySettings settings, MessageTransport& transport,
                               const Clock& clock, std::shared_ptr<Evidence> evidence,
                               Prober* prober)
    : settings_(settings),
      transport_(transport),
      clock_(clock),
      evidence_(std::move(evidence)),
      prober_(prober),
      inbox_(std::make_shared<Inbox>()) {
  if (prober_ != nullptr) prober_->on_answer([inbox = inbox_] { inbox->wake(); });
}

void ParcelDelivery::wake() { inbox_->wake(); }

void ParcelDelivery::set_stop_deadline(TimePoint deadline) {
  const std::lock_guard lock(inbox_->mutex);
  inbox_->stop_deadline = deadline;
}

void ParcelDelivery::cut(const Parcel& parcel, std::deque<Range>& ranges) const {
  const bool are_values = !parcel.units.empty() && parcel.is_value(parcel.units.front());
  std::size_t weight_max = are_values ? settings_.request_units_max : settings_.request_items_max;
  if (parcel.weight_max > 0) weight_max = std::min(weight_max, parcel.weight_max);
  const auto weight_of = [&](std::size_t unit) {
    return are_values ? std::size_t{1} : std::size_t{parcel.units[unit].items};
  };
  std::size_t first = 0;
  std::size_t weight = 0;
  for (std::size_t i = 0; i < parcel.units.size(); ++i) {
    const std::size_t more = weight_of(i);
    // Suspects go alone, each its own request: together they would only spoil each other again.
    const bool is_full = parcel.stage != Parcel::SearchStage::kFresh ||
                         weight + more > weight_max ||
                         parcel.run(first, i + 1).size() > settings_.request_bytes_max;
    if (i > first && is_full) {
      ranges.push_back({&parcel, first, i});
      first = i;
      weight = 0;
    }
    weight += more;
  }
  if (first < parcel.units.size()) ranges.push_back({&parcel, first, parcel.units.size()});
}

bool ParcelDelivery::run(const std::vector<Parcel>& parcels, DeliveryObserver& observer) {
  // Answers to requests of an earlier run may still come; by the round they are told from ours.
  ++round_;
  in_flight_ = extras_ = abandoned_ = 0;
  run_began_ = clock_.steady();
  in_run_.clear();
  owners_.clear();
  std::vector<Task> tasks(parcels.size());
  for (std::size_t i = 0; i < parcels.size(); ++i) {
    tasks[i].stage = parcels[i].stage;
    tasks[i].customer = &parcels[i].customer;
    tasks[i].owner = &owners_[{parcels[i].customer, parcels[i].signal}];
    in_run_.insert(parcels[i].customer);
    cut(parcels[i], tasks[i].ranges);
  }
  for (const auto& [whose, spent] : std::exchange(slow_before_, {})) {
    if (const auto found = owners_.find(whose); found != owners_.end()) found->second.spent = spent;
  }
  bool is_given_up = false;
  for (;;) {
    is_given_up = is_given_up || !observer.go_on();
    const bool has_left = !is_given_up && launch(tasks, observer);
    // What was abandoned is aside already: its answer, if it ever comes, changes nothing.
    if (in_flight_ == abandoned_ && !has_left) {
      if (!is_given_up) remember_slow(tasks);
      return !is_given_up;
    }
    if (is_given_up) {
      const std::lock_guard lock(inbox_->mutex);
      if (clock_.steady() >= inbox_->stop_deadline) return false;
    }
    wait(tasks, has_left);
    take_answers(tasks, observer);
  }
}

/// Sends what may be sent now. True where something is left to send or in flight.
bool ParcelDelivery::launch(std::vector<Task>& tasks, DeliveryObserver& observer) {
  bool has_left = false;
  for (std::size_t i = 0; i < tasks.size(); ++i) {
    Task& task = tasks[i];
    if (task.request == 0 && !task.ranges.empty()) drop_too_old(task, observer);
    if (!task.ranges.empty()) judge(task, tasks, observer);
    if (task.ranges.empty()) judge_doomed(task, observer);
    if (task.ranges.empty() && task.doomed.empty()) continue;
    has_left = true;
    if (task.request == 0 && !task.ranges.empty() && task.not_before <= clock_.steady() &&
        has_room(task))
      send(task, i);
  }
  return has_left;
}

/// A customer's further requests have places of their own: slow ones that took the others' would
/// keep everybody waiting. Whoever has none under way waits for no more than it would without them.
bool ParcelDelivery::has_room(const Task& task) const {
  if (task.owner->in_flight > 0) return extras_ < settings_.in_flight_max / 2;
  return in_flight_ - extras_ < settings_.in_flight_max;
}

void ParcelDelivery::send(Task& task, std::size_t index) {
  const Range range = task.ranges.front();
  task.request = ++last_request_;
  task.sent = clock_.steady();
  task.is_extra = task.owner->in_flight++ > 0;
  ++in_flight_;
  if (task.is_extra) ++extras_;
  transport_.send(
      range.parcel->customer, range.parcel->signal, range.parcel->run(range.first, range.last),
      [inbox = inbox_, round = round_, request = task.request, index, is_extra = task.is_extra,
       sent = task.sent](Answer answer) {
        {
          const std::lock_guard lock(inbox->mutex);
          inbox->items.push_back({round, request, index, is_extra, sent, std::move(answer)});
        }
        inbox->arrived.notify_all();
      });
}

void ParcelDelivery::wait(const std::vector<Task>& tasks, bool has_left) {
  Duration longest = kLookInterval;
  if (!has_left) {  // given up: only what is in flight is waited for
    const std::lock_guard lock(inbox_->mutex);
    longest = std::clamp(inbox_->stop_deadline - clock_.steady(), Duration::zero(), longest);
  }
  if (has_left) {
    const TimePoint now = clock_.steady();
    for (const Task& task : tasks) {
      if (task.ranges.empty() || (task.request == 0 && !has_room(task))) continue;
      const TimePoint look = task.request == 0 ? task.not_before : task.sent + settings_.patience;
      if (task.request == 0 || look > now)
        longest = std::clamp(look - now, Duration::zero(), longest);
    }
  }
  std::unique_lock lock(inbox_->mutex);
  inbox_->arrived.wait_for(lock, longest,
                           [this] { return !inbox_->items.empty() || inbox_->is_woken; });
  inbox_->is_woken = false;
}

void ParcelDelivery::take_answers(std::vector<Task>& tasks, DeliveryObserver& observer) {
  std::deque<Inbox::Item> items;
  {
    const std::lock_guard lock(inbox_->mutex);
    items.swap(inbox_->items);
  }
  for (Inbox::Item& item : items) {
    // Of one that is no longer waited for, as of when it was sent: it says nothing of now.
    const bool is_awaited = item.round == round_ && tasks[item.task].request == item.request;
    if (item.answer.kind == Answer::Kind::kTaken)
      evidence_->note_taken(is_awaited ? clock_.steady() : item.sent, true);
    if (item.round != round_) continue;
    Task& task = tasks[item.task];
    note_end_of_request(*task.owner, item.is_extra);
    if (task.request != item.request) {
      --abandoned_;
      continue;
    }
    task.request = 0;
    const Range range = task.ranges.front();
    if (item.answer.kind == Answer::Kind::kTaken && item.answer.rejected == 0) note_newest(range);
    const Duration took = clock_.steady() - task.sent;
    // Only time that ended in success: what fails is judged by its failure.
    if (item.answer.kind == Answer::Kind::kTaken) {
      task.spent += took;
      task.owner->spent += took;
    }
    observer.on_answer(*range.parcel, range.first, range.last, item.answer, took);
    settle(task, item.answer, observer);
  }
}

void ParcelDelivery::note_end_of_request(Owner& owner, bool is_extra) {
  --in_flight_;
  --owner.in_flight;
  if (is_extra) --extras_;
}

/// Several slow requests side by side may be a whole window, at whose end nothing of the customer's
/// is left to be set aside: then the next window knows. One at a time it would have been seen.
void ParcelDelivery::remember_slow(const std::vector<Task>& tasks) {
  std::map<const Owner*, Duration> longest;
  std::map<const Owner*, std::size_t> parcels;
  for (const Task& task : tasks) {
    Duration& most = longest[task.owner];
    most = std::max(most, task.spent);
    ++parcels[task.owner];
  }
  for (const auto& [whose, owner] : owners_) {
    if (parcels[&owner] > 1 && owner.spent >= settings_.patience &&
        longest[&owner] >= settings_.patience / 2)
      slow_before_.emplace(whose, owner.spent);
  }
}

void ParcelDelivery::settle(Task& task, const Answer& answer, DeliveryObserver& observer) {
  const Range range = task.ranges.front();
  switch (answer.kind) {
    case Answer::Kind::kTaken:
      if (answer.rejected > 0) give_up_rejected(range, answer, observer);
      task.ranges.pop_front();
      if (task.searched > 0) --task.searched;
      task.attempts = 0;
      task.failure.reset();
      return;
    case Answer::Kind::kRefused:
      task.attempts = 0;
      task.failure.reset();
      search(task, answer, observer);
      return;
    case Answer::Kind::kBroken:
    case Answer::Kind::kRetry:
      break;
  }
  if (settings_.lane == Lane::kOnce) {
    set_aside(task, Aside::kSearch, answer.why, observer);
    return;
  }
  if (task.stage == Parcel::SearchStage::kLastTry && doom(task, answer, observer)) return;
  const TimePoint since = task.failure ? task.failure->since : task.sent;
  task.failure = Failure{answer, since, task.sent};
  postpone(task, answer);
}

/// What of the task's trouble is its own, by what the destination takes meanwhile.
void ParcelDelivery::judge(Task& task, const std::vector<Task>& tasks, DeliveryObserver& observer) {
  if (task.request != 0)
    judge_in_flight(task, observer);
  else if (settings_.lane == Lane::kSide && is_turn_over())
    set_aside(task, Aside::kSearch, "the time of this turn is over", observer);
  else if (takes_others_time(task, tasks, observer))
    set_aside(task, Aside::kSlow, "it takes long, and others wait", observer);
  else if (task.searched == 0 && !observer.may_be_refused(*task.customer))
    set_aside(task, Aside::kSearch, "its customer's share of refusals is spent", observer);
  else if (task.failure)
    judge_failure(task, observer);
}

bool ParcelDelivery::is_turn_over() const {
  return settings_.run_max > Duration::zero() && clock_.steady() >= run_began_ + settings_.run_max;
}

void ParcelDelivery::judge_in_flight(Task& task, DeliveryObserver& observer) {
  if (settings_.lane != Lane::kFront || clock_.steady() < task.sent + settings_.patience) return;
  // Others are served while this one hangs, so it is not the destination: the window goes on
  // without it.
  if (evidence_->taken_since(task.sent)) {
    ++abandoned_;
    task.request = 0;
    set_aside(task, Aside::kSlow, "no answer while others have theirs", observer);
  } else {
    ask(task.ranges.front(), false);
  }
}

void ParcelDelivery::judge_failure(Task& task, DeliveryObserver& observer) {
  const TimePoint now = clock_.steady();
  const Answer& answer = task.failure->answer;
  const bool must_wait = is_wait(answer);
  if (must_wait && settings_.lane == Lane::kSide) {
    set_aside(task, Aside::kSlow, answer.why, observer);
    return;
  }
  // "Not now" may be said to one customer alone, by a store that has budgets.
  if (must_wait && now < task.failure->since + settings_.patience) return;
  switch (blame(task)) {
    case Blame::kUnknown:
      ask(task.ranges.front(), answer.is_too_new);
      return;
    case Blame::kTryAgain:
      task.not_before = now;
      return;
    case Blame::kTask:
      break;
  }
  if (must_wait)
    set_aside(task, Aside::kSlow, answer.why, observer);
  else
    condemn(task, observer);
}

/// Many requests of one customer, each of them slow and taken at last: the window ends with the
/// last of them, and behind it everybody waits. Where all in the run are slow alike it is the
/// destination that is slow, and not they; unless somebody else waits, none is set aside for it.
bool ParcelDelivery::takes_others_time(const Task& task, const std::vector<Task>& tasks,
                                       DeliveryObserver& observer) const {
  const Duration spent = task.owner->spent;
  if (settings_.lane != Lane::kFront || spent < settings_.patience) return false;
  const TimePoint now = clock_.steady();
  const auto is_faster = [&](const Task& other) {
    const Duration under_way = other.request != 0 ? now - other.sent : Duration::zero();
    return *other.customer != *task.customer && other.owner->spent + under_way < spent / 2;
  };
  return std::any_of(tasks.begin(), tasks.end(), is_faster) || observer.others_wait(in_run_);
}

/// By when the destination took something: after the task failed and before it failed again, the
/// trouble is the task's own. Where it has only just begun to take, the task is tried once more.
ParcelDelivery::Blame ParcelDelivery::blame(const Task& task) const {
  const Failure& failure = *task.failure;
  const TimePoint fresh = clock_.steady() - kEvidenceFresh;
  if (task.stage == Parcel::SearchStage::kLastTry)
    return evidence_->data_taken_since(failure.sent) ? Blame::kTask : Blame::kUnknown;
  if (settings_.lane == Lane::kSide)  // nothing is given up by it, only halved
    return evidence_->taken_since(std::min(failure.sent, fresh)) ? Blame::kTask : Blame::kUnknown;
  if (!evidence_->taken_since(std::max(failure.since, fresh))) return Blame::kUnknown;
  const bool is_first = task.attempts < 2 && failure.answer.kind == Answer::Kind::kBroken;
  if (is_first || failure.answer.is_timeout || failure.answer.retry_after ||
      failure.sent >= evidence_->last())
    return Blame::kTask;
  return Blame::kTryAgain;
}

/// For a probe before a time is known: one that was taken, or of the middle of what is in hand. Who
/// says that data is too new has looked at it: whether it answers is all that is left to ask.
void ParcelDelivery::ask(const Range& range, bool is_too_new) const {
  if (prober_ == nullptr) return;
  const std::int64_t known_ms = evidence_->newest_ms();
  const std::size_t middle = range.first + (range.last - range.first) / 2;
  const std::int64_t data_ms = known_ms != 0 ? known_ms : range.parcel->units[middle].timestamp_ms;
  prober_->ask(is_too_new ? 0 : data_ms);
}

/// While the destination takes data, what fails at its last try waits for what it says next, so
/// that many are given up by one sign of life and not one at a time.
bool ParcelDelivery::doom(Task& task, const Answer& answer, DeliveryObserver& observer) const {
  if (is_wait(answer) || answer.is_too_new ||
      !evidence_->data_taken_since(clock_.steady() - kEvidenceFresh))
    return false;
  for (const Range& range : take_kind(task, observer)) task.doomed.push_back({range, answer.why});
  task.doomed_sent = task.sent;
  task.attempts = 0;
  task.failure.reset();
  return true;
}

/// Nothing is left to send.
void ParcelDelivery::judge_doomed(Task& task, DeliveryObserver& observer) const {
  if (task.doomed.empty()) return;
  if (is_turn_over() || evidence_->data_taken_since(task.doomed_sent))
    set_aside(task, Aside::kSearch, "the time of this turn is over", observer);
  else
    ask(task.doomed.front().range, false);
}

/// All that is left of the task; what has failed for good is given up.
void ParcelDelivery::set_aside(Task& task, Aside aside, const std::string& why,
                               DeliveryObserver& observer) const {
  const bool is_proved = evidence_->data_taken_since(task.doomed_sent);
  for (const Doomed& doomed : task.doomed) {
    const Range& range = doomed.range;
    if (is_proved)
      observer.on_refused(*range.parcel, range.first, doomed.why);
    else
      observer.on_set_aside(*range.parcel, range.first, range.last, aside, why);
  }
  task.doomed.clear();
  for (const Range& range : task.ranges)
    observer.on_set_aside(*range.parcel, range.first, range.last, aside, why);
  task.ranges.clear();
  task.failure.reset();
}

void ParcelDelivery::postpone(Task& task, const Answer& answer) {
  const vigia::delivery::BackoffSettings settings{settings_.retry_initial, settings_.retry_max};
  const auto failures = static_cast<std::uint32_t>(++task.attempts);
  task.not_before =
      clock_.steady() + vigia::delivery::backoff_wait(settings, failures, answer.retry_after,
                                                      random_below(1U << 30U));
}

}  // namespace vigia::collector::delivery
