// Brings parcels to a destination: in order for each customer, several customers at a time, again
// until it is taken, and around what will never be.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "libs/base/clock.hpp"
#include "services/collector/exporters/exporter_settings.hpp"
#include "services/collector/exporters/parcel.hpp"

namespace vigia::collector {

struct DeliverySettings {
  std::size_t in_flight_max = 8;                            ///< requests at a time
  std::size_t request_bytes_max = 1U << 20U;                ///< before compression
  Duration retry_initial = std::chrono::milliseconds(500);  ///< doubled each time, with jitter
  Duration retry_max = std::chrono::seconds(30);
};

/// Told of what happens on the way; every call on the thread of `Delivery::run`.
class DeliveryObserver {
 public:
  virtual ~DeliveryObserver() = default;
  /// A unit was given up; `why` is the destination's own text. Its bytes are parcel.run(…).
  virtual void on_refused(const Parcel& parcel, std::size_t unit, const std::string& why) = 0;
  /// The destination took units [first, last) but for `count` items that it did not name.
  virtual void on_rejected(const Parcel& parcel, std::size_t first, std::size_t last,
                           std::uint64_t count, const std::string& why) = 0;
  /// One request of units [first, last) was answered.
  virtual void on_answer(const Parcel& parcel, std::size_t first, std::size_t last,
                         const Answer& answer, Duration took) = 0;
  /// Called often; false gives up what is left.
  virtual bool go_on() = 0;
};

/// A refused request is halved until the unit that is to blame stands alone: that one is given up,
/// the rest sent. A 500 that stays (kBrokenTriesMax times) is halved too; a unit that alone gets
/// nothing but 500 is given up only once the destination has taken something else since the first
/// of them, so that a broken destination costs no data; until then it goes behind the others.
/// One customer's bad data must not cost the others their time. Where the destination says that
/// data is too old, the search goes by time, newest first, and what is found is remembered for
/// kTooOldKnownFor: everything older is given up unsent. A parcel that has been refused
/// kRefusalsMax times is given up where it is refused, unhalved.
/// Thread contract: `run` from one thread; `wake` from any.
class Delivery {
 public:
  Delivery(DeliverySettings settings, Transport& transport, const Clock& clock);
  /// True once every unit was taken or given up. False where the observer gave up: some may have
  /// been taken. What is in flight then is waited for until `stop_deadline`.
  bool run(const std::vector<Parcel>& parcels, DeliveryObserver& observer);
  /// Looks at go_on at once.
  void wake();
  void set_stop_deadline(TimePoint deadline);

  static constexpr int kBrokenTriesMax = 3;
  static constexpr int kRefusalsMax = 256;
  static constexpr auto kTooOldKnownFor = std::chrono::minutes(1);

 private:
  struct Range {
    std::size_t first = 0, last = 0;
    /// Where it, or what it was halved from, has been answered 500: how many requests the
    /// destination had taken by then.
    std::optional<std::uint64_t> taken_at_break{};
  };
  struct Task {  // one parcel on its way
    const Parcel* parcel = nullptr;
    std::unique_ptr<Parcel> by_time{};  // where set, `parcel` is this: what was left, sorted
    std::deque<Range> ranges;           // front first
    bool is_in_flight = false;
    int attempts = 0;  // of the front range
    int refusals = 0;  // of the whole parcel
    int broken = 0;    // of these, answered 500
    TimePoint sent{};
    TimePoint not_before{};
  };
  struct Inbox;  // answers on their way to the thread of run

  std::deque<Range> cut(const Parcel& parcel) const;
  bool launch(std::vector<Task>& tasks, DeliveryObserver& observer);
  void settle(Task& task, const Answer& answer, DeliveryObserver& observer);
  void halve_or_give_up(Task& task, const Answer& answer, DeliveryObserver& observer);
  void sort_by_time(Task& task) const;
  void learn_too_old(std::int64_t timestamp_ms, const std::string& why);
  void drop_too_old(Task& task, DeliveryObserver& observer) const;
  void postpone(Task& task, const Answer& answer);
  void wait(const std::vector<Task>& tasks, bool has_left);
  void take_answers(std::vector<Task>& tasks, DeliveryObserver& observer);

  DeliverySettings settings_;
  Transport& transport_;
  const Clock& clock_;
  std::shared_ptr<Inbox> inbox_;  // shared with the callbacks of requests in flight
  std::size_t in_flight_ = 0;
  std::uint64_t taken_ = 0;  // requests that the destination has taken so far
  struct TooOld {
    std::int64_t timestamp_ms = 0;  // this and everything before it
    std::string why;
    TimePoint known_since{};
  };
  std::optional<TooOld> too_old_;
  std::uint64_t round_ = 0;  // answers of an earlier run are passed over
};

}  // namespace vigia::collector
