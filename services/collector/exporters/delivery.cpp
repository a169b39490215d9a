#include "services/collector/exporters/delivery.hpp"

#include <algorithm>

#include "libs/base/random.hpp"

namespace vigia::collector {
namespace {

constexpr int kDoublingsMax = 16;
/// Prometheus takes a sample of the last hour unless its own series has newer ones; what it refuses
/// beyond that, and some margin, it refuses for every series.
constexpr std::int64_t kOldForAllMs = 2 * 3'600'000;
/// The longest wait between two looks at go_on.
constexpr auto kLookInterval = std::chrono::milliseconds(500);

/// Half of the delay for certain, the other half by chance, so that many senders spread out.
Duration with_jitter(Duration delay) {
  constexpr std::uint32_t kSteps = 1000;
  return delay / 2 + delay / 2 / kSteps * random_below(kSteps);
}

}  // namespace

struct Delivery::Inbox {
  struct Item {
    std::uint64_t round = 0;
    std::size_t task = 0;
    Answer answer;
  };
  std::mutex mutex;
  std::condition_variable arrived;
  std::deque<Item> items;
  bool is_woken = false;
  TimePoint stop_deadline{};
};

Delivery::Delivery(DeliverySettings settings, Transport& transport, const Clock& clock)
    : settings_(settings),
      transport_(transport),
      clock_(clock),
      inbox_(std::make_shared<Inbox>()) {}

void Delivery::wake() {
  {
    const std::lock_guard lock(inbox_->mutex);
    inbox_->is_woken = true;
  }
  inbox_->arrived.notify_all();
}

void Delivery::set_stop_deadline(TimePoint deadline) {
  const std::lock_guard lock(inbox_->mutex);
  inbox_->stop_deadline = deadline;
}

std::deque<Delivery::Range> Delivery::cut(const Parcel& parcel) const {
  std::deque<Range> ranges;
  std::size_t first = 0;
  for (std::size_t i = 1; i <= parcel.units.size(); ++i) {
    const bool is_end = i == parcel.units.size();
    if (is_end || parcel.run(first, i + 1).size() > settings_.request_bytes_max) {
      ranges.push_back({first, i});
      first = i;
    }
  }
  return ranges;
}

bool Delivery::run(const std::vector<Parcel>& parcels, DeliveryObserver& observer) {
  ++round_;
  in_flight_ = 0;
  std::vector<Task> tasks(parcels.size());
  for (std::size_t i = 0; i < parcels.size(); ++i) {
    tasks[i].parcel = &parcels[i];
    tasks[i].ranges = cut(parcels[i]);
  }
  bool is_given_up = false;
  for (;;) {
    is_given_up = is_given_up || !observer.go_on();
    const bool has_left = !is_given_up && launch(tasks, observer);
    if (in_flight_ == 0 && !has_left) return !is_given_up;
    if (is_given_up) {
      const std::lock_guard lock(inbox_->mutex);
      if (clock_.steady() >= inbox_->stop_deadline) return false;
    }
    wait(tasks, has_left);
    take_answers(tasks, observer);
  }
}

/// Sends what may be sent now. True where something is left to send or in flight.
bool Delivery::launch(std::vector<Task>& tasks, DeliveryObserver& observer) {
  bool has_left = false;
  const TimePoint now = clock_.steady();
  for (std::size_t i = 0; i < tasks.size(); ++i) {
    Task& task = tasks[i];
    if (!task.is_in_flight) drop_too_old(task, observer);
    if (task.ranges.empty()) continue;
    has_left = true;
    if (task.is_in_flight || task.not_before > now || in_flight_ >= settings_.in_flight_max)
      continue;
    const Range range = task.ranges.front();
    task.is_in_flight = true;
    task.sent = now;
    ++in_flight_;
    transport_.send(task.parcel->customer, task.parcel->signal,
                    task.parcel->run(range.first, range.last),
                    [inbox = inbox_, round = round_, i](Answer answer) {
                      {
                        const std::lock_guard lock(inbox->mutex);
                        inbox->items.push_back({round, i, std::move(answer)});
                      }
                      inbox->arrived.notify_all();
                    });
  }
  return has_left;
}

void Delivery::wait(const std::vector<Task>& tasks, bool has_left) {
  Duration longest = kLookInterval;
  if (!has_left) {  // given up: only what is in flight is waited for
    const std::lock_guard lock(inbox_->mutex);
    longest = std::clamp(inbox_->stop_deadline - clock_.steady(), Duration::zero(), longest);
  }
  if (has_left && in_flight_ < settings_.in_flight_max) {
    const TimePoint now = clock_.steady();
    for (const Task& task : tasks) {
      if (!task.ranges.empty() && !task.is_in_flight)
        longest = std::clamp(task.not_before - now, Duration::zero(), longest);
    }
  }
  std::unique_lock lock(inbox_->mutex);
  inbox_->arrived.wait_for(lock, longest,
                           [this] { return !inbox_->items.empty() || inbox_->is_woken; });
  inbox_->is_woken = false;
}

void Delivery::take_answers(std::vector<Task>& tasks, DeliveryObserver& observer) {
  std::deque<Inbox::Item> items;
  {
    const std::lock_guard lock(inbox_->mutex);
    items.swap(inbox_->items);
  }
  for (Inbox::Item& item : items) {
    if (item.round != round_) continue;
    Task& task = tasks[item.task];
    task.is_in_flight = false;
    --in_flight_;
    const Range range = task.ranges.front();
    observer.on_answer(*task.parcel, range.first, range.last, item.answer,
                       clock_.steady() - task.sent);
    settle(task, item.answer, observer);
  }
}

void Delivery::settle(Task& task, const Answer& answer, DeliveryObserver& observer) {
  const Range range = task.ranges.front();
  switch (answer.kind) {
    case Answer::Kind::kTaken:
      ++taken_;
      if (answer.rejected > 0)
        observer.on_rejected(*task.parcel, range.first, range.last, answer.rejected, answer.why);
      task.ranges.pop_front();
      task.attempts = task.broken = 0;
      return;
    case Answer::Kind::kRefused:
      halve_or_give_up(task, answer, observer);
      return;
    case Answer::Kind::kBroken: {
      Range& broken = task.ranges.front();
      if (!broken.taken_at_break) broken.taken_at_break = taken_;
      const bool is_alone = range.last - range.first == 1;
      if (++task.broken < kBrokenTriesMax) break;
      if (!is_alone || taken_ > *broken.taken_at_break) {
        halve_or_give_up(task, answer, observer);
        return;
      }
      task.broken = 0;
      task.ranges.push_back(broken);
      task.ranges.pop_front();
      break;
    }
    case Answer::Kind::kRetry:
      break;
  }
  postpone(task, answer);
}

void Delivery::halve_or_give_up(Task& task, const Answer& answer, DeliveryObserver& observer) {
  const Range range = task.ranges.front();
  const std::size_t units = range.last - range.first;
  task.attempts = task.broken = 0;
  ++task.refusals;
  if (units == 1 || task.refusals > kRefusalsMax) {
    task.ranges.pop_front();
    if (units == 1 && answer.is_too_old)
      learn_too_old(task.parcel->units[range.first].timestamp_ms, answer.why);
    for (std::size_t unit = range.first; unit < range.last; ++unit)
      observer.on_refused(*task.parcel, unit, answer.why);
    return;
  }
  if (answer.is_too_old && !task.by_time) {
    sort_by_time(task);
    return;
  }
  task.ranges.pop_front();
  const std::size_t middle = range.first + units / 2;
  const Range older{range.first, middle, range.taken_at_break};
  const Range newer{middle, range.last, range.taken_at_break};
  task.ranges.push_front(answer.is_too_old ? older : newer);
  task.ranges.push_front(answer.is_too_old ? newer : older);
}

/// What is left of the task becomes one parcel in the order of time, sent from its new end.
void Delivery::sort_by_time(Task& task) const {
  std::vector<std::size_t> order;
  for (const Range& range : task.ranges) {
    for (std::size_t unit = range.first; unit < range.last; ++unit) order.push_back(unit);
  }
  const Parcel& from = *task.parcel;
  std::stable_sort(order.begin(), order.end(), [&from](std::size_t left, std::size_t right) {
    return from.units[left].timestamp_ms < from.units[right].timestamp_ms;
  });
  auto sorted = std::make_unique<Parcel>(Parcel{.customer = from.customer, .signal = from.signal});
  for (const std::size_t index : order) {
    Unit unit = from.units[index];
    unit.begin = sorted->message.size();
    sorted->units.push_back(unit);
    sorted->message += from.run(index, index + 1);
  }
  task.ranges = cut(*sorted);
  std::reverse(task.ranges.begin(), task.ranges.end());
  task.by_time = std::move(sorted);
  task.parcel = task.by_time.get();
}

void Delivery::learn_too_old(std::int64_t timestamp_ms, const std::string& why) {
  if (timestamp_ms >= clock_.wall_ms() - kOldForAllMs) return;
  const TimePoint now = clock_.steady();
  const bool is_known = too_old_ && now < too_old_->known_since + kTooOldKnownFor;
  if (is_known) timestamp_ms = std::max(timestamp_ms, too_old_->timestamp_ms);
  too_old_ = TooOld{timestamp_ms, why, now};
}

void Delivery::drop_too_old(Task& task, DeliveryObserver& observer) const {
  if (!too_old_ || clock_.steady() >= too_old_->known_since + kTooOldKnownFor) return;
  const auto is_too_old = [this](const Unit& unit) {
    return unit.timestamp_ms != 0 && unit.timestamp_ms <= too_old_->timestamp_ms;
  };
  const bool has_some =
      std::any_of(task.ranges.begin(), task.ranges.end(), [&](const Range& range) {
        const auto begin = task.parcel->units.begin();
        return std::any_of(begin + static_cast<std::ptrdiff_t>(range.first),
                           begin + static_cast<std::ptrdiff_t>(range.last), is_too_old);
      });
  if (!has_some) return;
  if (!task.by_time) sort_by_time(task);
  for (Range& range : task.ranges) {
    while (range.first < range.last && is_too_old(task.parcel->units[range.first]))
      observer.on_refused(*task.parcel, range.first++, too_old_->why);
  }
  std::erase_if(task.ranges, [](const Range& range) { return range.first == range.last; });
}

void Delivery::postpone(Task& task, const Answer& answer) {
  const int doublings = std::min(task.attempts++, kDoublingsMax);
  const Duration delay = std::min(settings_.retry_max, settings_.retry_initial * (1 << doublings));
  Duration wait = with_jitter(delay);
  if (answer.retry_after) wait = std::max(wait, *answer.retry_after);
  task.not_before = clock_.steady() + wait;
}

}  // namespace vigia::collector
