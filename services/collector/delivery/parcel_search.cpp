// How a parcel's delivery finds what of it is to blame: by halves, by time, by kind.
#include <algorithm>
#include <unordered_map>

#include "services/collector/delivery/parcel_delivery.hpp"

namespace vigia::collector::delivery {
namespace {

/// Prometheus takes a sample of the hour before its newest one unless the sample's own series has
/// newer ones; what it refuses beyond that, and some margin, it refuses for every series.
constexpr std::int64_t kOldForAllMs = 2 * 3'600'000;

/// Of which a destination has one value: a series' labels, encoded, and a time.
using ValuePlace = std::pair<std::string_view, std::int64_t>;
struct ValuePlaceHash {
  std::size_t operator()(const ValuePlace& place) const {
    constexpr std::size_t kOdd = 0x9e3779b97f4a7c15;
    return std::hash<std::string_view>()(place.first) ^
           std::hash<std::int64_t>()(place.second) * kOdd;
  }
};

/// A parcel of these units, at least one.
std::unique_ptr<Parcel> gather(const std::vector<std::pair<const Parcel*, std::size_t>>& units) {
  const Parcel& from = *units.front().first;
  auto parcel = std::make_unique<Parcel>(Parcel{.customer = from.customer,
                                                .signal = from.signal,
                                                .stage = from.stage,
                                                .weight_max = from.weight_max});
  for (const auto& [source, unit] : units) parcel->append(*source, unit, unit + 1);
  return parcel;
}

}  // namespace

/// The destination takes others' while this fails.
void ParcelDelivery::condemn(Task& task, DeliveryObserver& observer) {
  const Range range = task.ranges.front();
  const Answer answer = task.failure->answer;
  task.failure.reset();
  task.not_before = {};
  task.attempts = 0;
  if (settings_.lane == Lane::kFront) {
    // All that is left of it: each range's failing and probing would be everybody's wait.
    set_aside(task, answer.is_timeout ? Aside::kSlow : Aside::kSearch, answer.why, observer);
    return;
  }
  if (answer.is_too_new) {
    part_too_new(task, answer.why, observer);
    return;
  }
  if (task.stage == Parcel::SearchStage::kSuspect) {
    condemn_suspect(task, answer.why, observer);
    return;
  }
  if (task.stage == Parcel::SearchStage::kLastTry) {
    for (const Range& alike : take_kind(task, observer))
      observer.on_refused(*alike.parcel, alike.first, answer.why);
    return;
  }
  if (++task.owner->searches > settings_.searches_max) {
    set_aside(task, Aside::kSearch, answer.why, observer);
    return;
  }
  if (range.last - range.first > 1) {
    halve(task, false);
    return;
  }
  if (split(task, observer)) return;
  observer.on_set_aside(*range.parcel, range.first, range.last, Aside::kSuspect, answer.why);
  task.ranges.pop_front();
}

/// It has failed alone once more: so has, for now, all of its kind.
void ParcelDelivery::condemn_suspect(Task& task, const std::string& why,
                                     DeliveryObserver& observer) const {
  const Range& range = task.ranges.front();
  const bool has_kinds = !observer.kind_of(*range.parcel, range.first).empty();
  if (!has_kinds || ++task.owner->searches >= kSuspectKindsMax) {
    set_aside(task, Aside::kSuspect, why, observer);
    return;
  }
  for (const Range& alike : take_kind(task, observer))
    observer.on_set_aside(*alike.parcel, alike.first, alike.last, Aside::kSuspect, why);
}

/// Something of the front range lies ahead of the destination's clock: the oldest such unit is
/// searched, then it and all that is newer waits.
void ParcelDelivery::part_too_new(Task& task, const std::string& why, DeliveryObserver& observer) {
  const Range front = task.ranges.front();
  if (front.last - front.first > 1) {
    if (++task.owner->searches > settings_.searches_max) {
      set_aside(task, Aside::kSearch, why, observer);
      return;
    }
    if (task.is_by_time) {
      halve(task, false);
    } else {
      sort_by_time(task);
      std::reverse(task.ranges.begin(), task.ranges.end());
    }
    return;
  }
  // The oldest that is ahead is found: by the order of time all that is newer is ahead as well.
  const std::int64_t too_new_ms = front.parcel->units[front.first].timestamp_ms;
  std::deque<Range> older;
  for (const Range& range : task.ranges) {
    for (std::size_t first = range.first; first < range.last;) {
      const auto is_newer = [&](std::size_t unit) {
        return range.parcel->units[unit].timestamp_ms >= too_new_ms;
      };
      const bool is_aside = is_newer(first);
      std::size_t last = first + 1;
      while (last < range.last && is_newer(last) == is_aside) ++last;
      if (is_aside)
        observer.on_set_aside(*range.parcel, first, last, Aside::kTooNew, why);
      else
        older.push_back({range.parcel, first, last});
      first = last;
    }
  }
  task.ranges = std::move(older);
}

/// The destination has said that something of the front range will never be taken.
void ParcelDelivery::search(Task& task, const Answer& answer, DeliveryObserver& observer) {
  const Range range = task.ranges.front();
  const std::size_t units = range.last - range.first;
  const TimePoint now = clock_.steady();
  if (!task.owner->searched_since) task.owner->searched_since = now;
  const bool is_late =
      settings_.lane == Lane::kFront && now >= *task.owner->searched_since + settings_.patience;
  // A search in the front lane is everybody's wait; what is not found soon is searched aside.
  if (units > 1 && (++task.owner->searches > settings_.searches_max || is_late)) {
    set_aside(task, Aside::kSearch, answer.why, observer);
    return;
  }
  const std::size_t ranges = task.ranges.size();
  if (units == 1) {
    if (split(task, observer)) {
      note_searched(task, ranges);
      return;
    }
    task.ranges.pop_front();
    task.searched = 0;
    if (answer.is_too_old) learn_too_old(range.parcel->units[range.first].timestamp_ms, answer.why);
    observer.on_refused(*range.parcel, range.first, answer.why);
    return;
  }
  // What is cut anew is sent once more as if it were fresh, its first request at any rate.
  if (drop_doubles(task, observer)) {
    task.searched = 1;
    return;
  }
  if (answer.is_too_old && !task.is_by_time) {
    sort_by_time(task);
    task.searched = 1;
    return;
  }
  // Too old: the newer half first, which is likely to pass, so that the search ends at the border.
  halve(task, answer.is_too_old);
  note_searched(task, ranges);
}

/// What the destination names is given up by name: where as many of a series' values are named as
/// the request had, for by the series alone they are not told apart.
void ParcelDelivery::give_up_rejected(const Range& range, const Answer& answer,
                                      DeliveryObserver& observer) {
  struct Named {
    std::vector<const std::string*> whys;
    std::vector<std::size_t> units;
  };
  std::unordered_map<std::string_view, Named> named;
  for (const RefusedSeries& series : answer.refused) named[series.kind].whys.push_back(&series.why);
  for (std::size_t unit = range.first; unit < range.last && !named.empty(); ++unit) {
    const auto found = named.find(observer.kind_of(*range.parcel, unit));
    if (found != named.end()) found->second.units.push_back(unit);
  }
  std::uint64_t left = answer.rejected;
  for (const auto& [kind, one] : named) {
    if (one.units.size() != one.whys.size()) continue;
    for (std::size_t i = 0; i < one.units.size() && left > 0; ++i, --left)
      observer.on_refused(*range.parcel, one.units[i], *one.whys[i]);
  }
  if (left > 0) observer.on_rejected(*range.parcel, range.first, range.last, left, answer.why);
}

/// The front one of so many ranges was cut: what it has become is searched to the unit.
void ParcelDelivery::note_searched(Task& task, std::size_t ranges_before) {
  task.searched = std::max<std::size_t>(task.searched, 1) + task.ranges.size() - ranges_before;
}

/// True where something was given up; what is left is cut anew, in its order. Looked for where
/// something was refused, once: most parcels are taken, and a look at each value costs as much as
/// packing it.
bool ParcelDelivery::drop_doubles(Task& task, DeliveryObserver& observer) const {
  const Range& front = task.ranges.front();
  // By time ranges stand in the other order, where the first value is not the first to come.
  if (task.has_single_values || task.is_by_time || task.stage != Parcel::SearchStage::kFresh ||
      observer.kind_of(*front.parcel, front.first).empty())
    return false;
  task.has_single_values = true;
  std::unordered_map<ValuePlace, std::string_view, ValuePlaceHash> known;
  std::vector<std::pair<const Parcel*, std::size_t>> left;
  bool has_doubles = false;
  for (const Range& range : task.ranges) {
    for (std::size_t unit = range.first; unit < range.last; ++unit) {
      const std::string_view bytes = range.parcel->run(unit, unit + 1);
      const ValuePlace place{observer.kind_of(*range.parcel, unit),
                             range.parcel->units[unit].timestamp_ms};
      // The same value once more does no harm, and is counted as taken.
      if (known.try_emplace(place, bytes).first->second == bytes) {
        left.emplace_back(range.parcel, unit);
        continue;
      }
      has_doubles = true;
      observer.on_refused(*range.parcel, unit, "another value of that series and time came before");
    }
  }
  if (!has_doubles) return false;
  auto rest = gather(left);
  task.ranges.clear();
  cut(*rest, task.ranges);
  task.made.push_back(std::move(rest));
  return true;
}

void ParcelDelivery::halve(Task& task, bool newer_first) const {
  const Range range = task.ranges.front();
  task.ranges.pop_front();
  const std::size_t middle = range.first + (range.last - range.first) / 2;
  const Range older{range.parcel, range.first, middle};
  const Range newer{range.parcel, middle, range.last};
  task.ranges.push_front(newer_first ? older : newer);
  task.ranges.push_front(newer_first ? newer : older);
}

/// The front range, one unit, becomes several where there is more than one item in it.
bool ParcelDelivery::split(Task& task, DeliveryObserver& observer) const {
  const Range range = task.ranges.front();
  if (range.parcel->units[range.first].items < 2) return false;
  auto parts = observer.split(*range.parcel, range.first);
  if (!parts || parts->units.size() < 2) return false;
  // Ranges point at parcels; what is made of them here lives as long as the task.
  task.made.push_back(std::make_unique<Parcel>(*std::move(parts)));
  task.made.back()->weight_max = range.parcel->weight_max;
  task.ranges.pop_front();
  for (std::size_t unit = task.made.back()->units.size(); unit-- > 0;)
    task.ranges.push_front({task.made.back().get(), unit, unit + 1});
  return true;
}

/// The front range and those of its kind, off the task's.
std::vector<ParcelDelivery::Range> ParcelDelivery::take_kind(Task& task,
                                                             DeliveryObserver& observer) const {
  std::vector<Range> taken{task.ranges.front()};
  task.ranges.pop_front();
  const std::string_view kind = observer.kind_of(*taken[0].parcel, taken[0].first);
  if (kind.empty()) return taken;
  const auto alike = std::stable_partition(
      task.ranges.begin(), task.ranges.end(),
      [&](const Range& range) { return observer.kind_of(*range.parcel, range.first) != kind; });
  taken.insert(taken.end(), alike, task.ranges.end());
  task.ranges.erase(alike, task.ranges.end());
  return taken;
}

/// What is left of the task becomes one parcel in the order of time, sent from its new end.
void ParcelDelivery::sort_by_time(Task& task) const {
  std::vector<std::pair<const Parcel*, std::size_t>> order;
  for (const Range& range : task.ranges) {
    for (std::size_t unit = range.first; unit < range.last; ++unit)
      order.emplace_back(range.parcel, unit);
  }
  std::stable_sort(order.begin(), order.end(), [](const auto& left, const auto& right) {
    return left.first->units[left.second].timestamp_ms <
           right.first->units[right.second].timestamp_ms;
  });
  auto sorted = gather(order);
  task.ranges.clear();
  cut(*sorted, task.ranges);
  std::reverse(task.ranges.begin(), task.ranges.end());
  task.is_by_time = true;
  task.made.push_back(std::move(sorted));
}

void ParcelDelivery::note_newest(const Range& range) const {
  std::int64_t newest_ms = 0;
  for (std::size_t unit = range.first; unit < range.last; ++unit)
    newest_ms = std::max(newest_ms, range.parcel->units[unit].timestamp_ms);
  evidence_->note_newest(newest_ms);
}

void ParcelDelivery::learn_too_old(std::int64_t timestamp_ms, const std::string& why) {
  // Near the border a refusal may be of one series alone, which has newer samples: nothing is
  // learned for the others.
  if (timestamp_ms >= evidence_->newest_ms() - kOldForAllMs) return;
  const TimePoint now = clock_.steady();
  const bool is_known = too_old_ && now < too_old_->known_since + kTooOldKnownFor;
  if (is_known) timestamp_ms = std::max(timestamp_ms, too_old_->timestamp_ms);
  too_old_ = TooOld{timestamp_ms, why, now};
}

void ParcelDelivery::drop_too_old(Task& task, DeliveryObserver& observer) const {
  if (!too_old_ || clock_.steady() >= too_old_->known_since + kTooOldKnownFor) return;
  const auto is_too_old = [this](const Unit& unit) {
    return unit.timestamp_ms != 0 && unit.timestamp_ms <= too_old_->timestamp_ms;
  };
  const bool has_some =
      std::any_of(task.ranges.begin(), task.ranges.end(), [&](const Range& range) {
        const auto begin = range.parcel->units.begin();
        return std::any_of(begin + static_cast<std::ptrdiff_t>(range.first),
                           begin + static_cast<std::ptrdiff_t>(range.last), is_too_old);
      });
  if (!has_some) return;
  if (!task.is_by_time) sort_by_time(task);
  for (Range& range : task.ranges) {
    while (range.first < range.last && is_too_old(range.parcel->units[range.first]))
      observer.on_refused(*range.parcel, range.first++, too_old_->why);
  }
  std::erase_if(task.ranges, [](const Range& range) { return range.first == range.last; });
}

}  // namespace vigia::collector::delivery
