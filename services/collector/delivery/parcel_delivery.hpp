// Brings parcels to a destination: in order for each customer, several customers at a time, and
// around what it does not take. docs/decisions/0008-lanes.md says why it is so.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "libs/base/clock.hpp"
#include "services/collector/delivery/evidence.hpp"
#include "services/collector/delivery/parcel.hpp"

namespace vigia::collector::delivery {

/// Whose time a delivery takes, and so what it does with what fails.
enum class Lane : std::uint8_t {
  kFront,  ///< everybody's: what one customer would make the others wait for is set aside
  kSide,   ///< apart: what fails is searched to the end, within the budgets
  kOnce,   ///< one try, what fails is set aside
};

struct DeliverySettings {
  Lane lane = Lane::kFront;
  /// Customers that have a request under way; half as many further ones go to whoever has several
  /// parcels, and take nobody's first.
  std::size_t in_flight_max = 8;
  std::size_t request_bytes_max = 1U << 20U;                ///< before compression
  std::size_t request_units_max = 20'000;                   ///< series values in one request
  std::size_t request_items_max = 10'000;                   ///< spans or records in one request
  Duration retry_initial = std::chrono::milliseconds(500);  ///< doubled each time, with jitter
  Duration retry_max = std::chrono::seconds(30);
  /// Requests that the search in a customer's parcels may take in one run; what is not found by
  /// then is set aside.
  int searches_max = 64;
  /// How long a parcel of the front lane may fail, wait or be sent while others' could be.
  Duration patience = std::chrono::seconds(3);
  /// Of the side lane: what is not done by then is set aside. 0: no end.
  Duration run_max{0};
};

/// Why units were not brought to an end.
enum class Aside : std::uint8_t {
  kSearch,   ///< something in them is to blame, or the budget was over: search apart
  kSlow,     ///< not now, or no answer in time, while others' data is taken
  kSuspect,  ///< one unit that fails alone while others are taken, without being refused
  kTooNew,   ///< too far ahead of the destination's clock: it passes by itself. Of kSide alone
};

/// Told of what happens on the way; every call on the thread of `ParcelDelivery::run`.
class DeliveryObserver {
 public:
  virtual ~DeliveryObserver() = default;
  /// A unit was given up; `why` is the destination's own text. Its bytes are parcel.run(…).
  virtual void on_refused(const Parcel& parcel, std::size_t unit, const std::string& why) = 0;
  /// The destination took units [first, last) but for `count` items that it did not name.
  virtual void on_rejected(const Parcel& parcel, std::size_t first, std::size_t last,
                           std::uint64_t count, const std::string& why) = 0;
  /// Units [first, last) are to be tried apart, later.
  virtual void on_set_aside(const Parcel& parcel, std::size_t first, std::size_t last, Aside aside,
                            const std::string& why) = 0;
  /// One request of units [first, last) was answered.
  virtual void on_answer(const Parcel& parcel, std::size_t first, std::size_t last,
                         const Answer& answer, Duration took) = 0;
  /// Units of several items as units of about half; nothing where it cannot be cut.
  virtual std::optional<Parcel> split(const Parcel& /*parcel*/, std::size_t /*unit*/) {
    return std::nullopt;
  }
  /// What units of one fate have in common; "" where each stands for itself. Views the parcel.
  virtual std::string_view kind_of(const Parcel& /*parcel*/, std::size_t /*unit*/) { return {}; }
  /// Whether a customer who is not in this run waits behind it.
  virtual bool others_wait(const std::set<CustomerId>& /*in_run*/) { return false; }
  /// Whether anything of the customer's that may be refused is to be sent now. Where not, the
  /// search that is under way ends at its unit, and all that is left is set aside (kSearch).
  virtual bool may_be_refused(const CustomerId& /*customer*/) { return true; }
  /// Called often; false gives up what is left.
  virtual bool go_on() = 0;
};

/// A refused request is halved until the unit that is to blame stands alone: that one is given up,
/// the rest sent. What fails otherwise (500, no answer in time, not now) says nothing by itself: it
/// is tried again, with one back-off for the parcel, until the destination is seen to take
/// something else (`Evidence`), for which it is probed. Only then is it the parcel's own trouble:
/// the front lane sets it aside, the side lane halves it down to the suspect. A destination that
/// takes nothing from anybody costs nothing but time.
/// Where the destination says that data is too old, the search goes by time, newest first, and what
/// is found is remembered for kTooOldKnownFor: everything older is given up unsent, everybody's,
/// if something so much newer was taken that it is too old for every series (by no clock of ours).
/// What lies too far ahead of the destination's clock is its owner's trouble where others' data is
/// taken: the rest is sent, that waits aside for as long as it takes.
/// A destination keeps the first of several values that one series has at one time: once something
/// of a parcel was refused, the others are given up unsent.
/// What one customer's requests take is added up over all of its parcels: of several at a time as
/// many are sent before it is slow as would have been one after the other.
/// Of suspects that are of one kind one is tried for all, and shares its fate with them at the last
/// try: they have failed alone each.
/// Thread contract: `run` from one thread; `wake` from any.
class ParcelDelivery {
 public:
  /// `prober` may be null; all outlive the delivery.
  ParcelDelivery(DeliverySettings settings, MessageTransport& transport, const Clock& clock,
                 std::shared_ptr<Evidence> evidence = std::make_shared<Evidence>(),
                 Prober* prober = nullptr);
  /// True once every unit was taken, given up or set aside. False where the observer gave up: some
  /// may have been taken. What is in flight then is waited for until `stop_deadline`.
  bool run(const std::vector<Parcel>& parcels, DeliveryObserver& observer);
  /// Looks at go_on at once.
  void wake();
  void set_stop_deadline(TimePoint deadline);

  static constexpr auto kTooOldKnownFor = std::chrono::minutes(1);
  /// Evidence older than this tells nothing of now.
  static constexpr auto kEvidenceFresh = std::chrono::seconds(5);
  /// Of suspects so many kinds are tried in a run, for all of them.
  static constexpr int kSuspectKindsMax = 8;

 private:
  struct Range {
    const Parcel* parcel = nullptr;
    std::size_t first = 0, last = 0;
  };
  struct Failure {  // of the front range, since it was last taken something of
    Answer answer;
    TimePoint since{};  // first of them
    TimePoint sent{};   // the last one's request
  };
  struct Doomed {
    Range range;
    std::string why;
  };
  /// What all of a customer's parcels of a run have together.
  struct Owner {
    int searches = 0;
    std::optional<TimePoint> searched_since{};
    std::size_t in_flight = 0;
    Duration spent{};  // in requests that were taken, side by side or not
  };
  using Owners = std::map<std::pair<CustomerId, Signal>, Owner>;
  struct Task {                                   // one parcel on its way
    std::vector<std::unique_ptr<Parcel>> made{};  // what was sorted or split from it
    std::deque<Range> ranges{};                   // front first
    const CustomerId* customer = nullptr;
    Parcel::SearchStage stage = Parcel::SearchStage::kFresh;
    bool is_by_time = false;
    std::uint64_t request = 0;  // in flight; 0: none
    int attempts = 0;
    Owner* owner = nullptr;
    bool is_extra = false;  // its request: its customer had another under way
    /// Ranges at the front that something refused was cut into: to blame is one of them.
    std::size_t searched = 0;
    bool has_single_values = false;  // drop_doubles
    std::optional<Failure> failure{};
    TimePoint sent{};
    Duration spent{};  // as its owner's, of this parcel alone
    TimePoint not_before{};
    std::vector<Doomed> doomed{};  // of a last try: failed once more
    TimePoint doomed_sent{};       // the last of these requests
  };
  struct Inbox;  // answers on their way to the thread of run

  void cut(const Parcel& parcel, std::deque<Range>& ranges) const;
  bool launch(std::vector<Task>& tasks, DeliveryObserver& observer);
  bool has_room(const Task& task) const;
  void send(Task& task, std::size_t index);
  void note_end_of_request(Owner& owner, bool is_extra);
  void remember_slow(const std::vector<Task>& tasks);
  void wait(const std::vector<Task>& tasks, bool has_left);
  void take_answers(std::vector<Task>& tasks, DeliveryObserver& observer);
  void settle(Task& task, const Answer& answer, DeliveryObserver& observer);
  static void give_up_rejected(const Range& range, const Answer& answer,
                               DeliveryObserver& observer);
  void judge(Task& task, const std::vector<Task>& tasks, DeliveryObserver& observer);
  void judge_in_flight(Task& task, DeliveryObserver& observer);
  void judge_failure(Task& task, DeliveryObserver& observer);
  bool is_turn_over() const;
  bool takes_others_time(const Task& task, const std::vector<Task>& tasks,
                         DeliveryObserver& observer) const;
  enum class Blame : std::uint8_t { kUnknown, kTryAgain, kTask };
  Blame blame(const Task& task) const;
  void ask(const Range& range, bool is_too_new) const;
  void condemn(Task& task, DeliveryObserver& observer);
  void condemn_suspect(Task& task, const std::string& why, DeliveryObserver& observer) const;
  void part_too_new(Task& task, const std::string& why, DeliveryObserver& observer);
  void search(Task& task, const Answer& answer, DeliveryObserver& observer);
  static void note_searched(Task& task, std::size_t ranges_before);
  bool drop_doubles(Task& task, DeliveryObserver& observer) const;
  bool split(Task& task, DeliveryObserver& observer) const;
  std::vector<Range> take_kind(Task& task, DeliveryObserver& observer) const;
  bool doom(Task& task, const Answer& answer, DeliveryObserver& observer) const;
  void judge_doomed(Task& task, DeliveryObserver& observer) const;
  void halve(Task& task, bool newer_first) const;
  void set_aside(Task& task, Aside aside, const std::string& why, DeliveryObserver& observer) const;
  void sort_by_time(Task& task) const;
  void note_newest(const Range& range) const;
  void learn_too_old(std::int64_t timestamp_ms, const std::string& why);
  void drop_too_old(Task& task, DeliveryObserver& observer) const;
  void postpone(Task& task, const Answer& answer);

  DeliverySettings settings_;
  MessageTransport& transport_;
  const Clock& clock_;
  std::shared_ptr<Evidence> evidence_;
  Prober* prober_;
  std::shared_ptr<Inbox> inbox_;  // shared with the callbacks of requests in flight
  std::size_t in_flight_ = 0;
  std::size_t extras_ = 0;     // of these, no customer's first
  std::size_t abandoned_ = 0;  // of these, no longer waited for
  TimePoint run_began_{};
  std::set<CustomerId> in_run_;
  Owners owners_;  // of the parcels in the run
  /// What owners that were slow throughout the last run have spent in it.
  std::map<std::pair<CustomerId, Signal>, Duration> slow_before_;
  struct TooOld {
    std::int64_t timestamp_ms = 0;  // this and everything before it
    std::string why;
    TimePoint known_since{};
  };
  std::optional<TooOld> too_old_;
  std::uint64_t round_ = 0;         // answers of an earlier run are passed over
  std::uint64_t last_request_ = 0;  // requests are numbered
};

}  // namespace vigia::collector::delivery
