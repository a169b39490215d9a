// Tries what was set aside, apart from the log's own way: docs/decisions/0008-lanes.md.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "services/collector/books/reasons.hpp"
#include "services/collector/delivery/packer.hpp"
#include "services/collector/delivery/parcel_delivery.hpp"
#include "services/collector/side/side_queue.hpp"

namespace vigia::collector::side {

/// Keeps the books of what waits aside. Called on the lane's threads, several at once.
class SideLaneOwner {
 public:
  virtual ~SideLaneOwner() = default;
  virtual void on_side_sent(const CustomerId& customer, Signal signal, std::uint64_t items) = 0;
  /// Before the entry's file goes.
  virtual void on_side_dropped(const CustomerId& customer, Signal signal, books::DropCause cause,
                               std::uint64_t items) = 0;
  /// A unit is given up, or a record that cannot be packed (`content` says which).
  virtual void on_side_letter(const delivery::Parcel& parcel, std::string_view message,
                              const std::string& why, bool is_record) = 0;
  virtual void on_side_answer(const delivery::Parcel& parcel, std::size_t first, std::size_t last,
                              const delivery::Answer& answer, Duration took) = 0;
  /// Whether the customer's turn may come: of whom too much was refused waits. Asked under the
  /// queue's lock.
  virtual bool may_be_refused(const CustomerId& /*customer*/) { return true; }
};

struct SideLaneSettings {
  delivery::DeliverySettings delivery;  ///< sizes and back-offs; the rest is the lane's own
  /// How long a unit that fails alone while others are taken is kept and tried before it is given
  /// up.
  Duration give_up_after = std::chrono::minutes(10);
};

struct SideLaneParts {  // all of it outlives the lane
  SideQueue& queue;
  delivery::MessageTransport& transport;
  std::shared_ptr<delivery::Evidence> evidence;
  delivery::Prober* prober = nullptr;
  delivery::Packer& packer;
  const Clock& clock;
  SideLaneOwner& owner;
};

/// Two threads, so that customers whose requests time out wait for one another only. Each takes
/// turns: some customers' oldest entries, a piece of bounded size at a time, within bounded
/// requests and time; what is left goes back with a back-off of its own. Thread contract: start and
/// stop from one thread; the rest from any.
class SideLane {
 public:
  SideLane(SideLaneSettings settings, const SideLaneParts& parts);
  ~SideLane();
  SideLane(const SideLane&) = delete;
  SideLane& operator=(const SideLane&) = delete;

  void start();
  void stop(TimePoint deadline) noexcept;
  /// Something was put into the queue.
  void wake();
  /// The customer's requests are held up: its further records are to go this way too, until the
  /// destination takes some of them.
  void mark_slow(const CustomerId& customer);
  /// The destination failed over something of the customer's while it took others': its further
  /// records of that signal are to go this way too, or windows that hold nothing else would have to
  /// find it out again, each of them. That ends when a piece of them was taken whole, or nothing
  /// but suspects is left, and kTroubledFor have passed since something failed.
  void mark_troubled(const CustomerId& customer, Signal signal);
  /// Whether a record should join what waits aside instead of being tried by the front lane. As
  /// mark_slow, from the front lane's thread.
  bool is_followed(const CustomerId& customer, Signal signal);

  static constexpr std::size_t kCustomersMax = 8;            ///< in one turn
  static constexpr std::uint64_t kTurnBytesMax = 8U << 20U;  ///< of entries, all customers
  static constexpr std::size_t kPieceBytesMax = 2U << 20U;   ///< packed from records, a customer
  static constexpr auto kTurnMax = std::chrono::seconds(5);  ///< new pieces are begun until then
  static constexpr auto kRunMax = std::chrono::seconds(15);  ///< of one piece
  static constexpr int kSearchesMax = 512;                   ///< requests of one piece's search
  /// Longer than windows that find it out wait for one another (Prober::kInterval), and no longer
  /// than needed: this way is narrower.
  static constexpr auto kTroubledFor = std::chrono::seconds(2);
  /// A suspect is tried at least so often, or where a customer has more than 240 entries of them
  /// one of these at this pace.
  static constexpr auto kSuspectWaitMax = std::chrono::seconds(60);
  static constexpr auto kSuspectPace = std::chrono::milliseconds(250);
  /// A destination may ask for a longer wait, and gets this.
  static constexpr auto kAskedWaitMax = std::chrono::minutes(10);
  /// What is ahead of the destination's clock is tried again within that, after so many tries twice
  /// that, and so on to the longest, while the customer's other data goes on.
  static constexpr auto kTooNewWait = std::chrono::seconds(60);
  static constexpr int kTooNewTries = 4;
  static constexpr auto kTooNewWaitMax = std::chrono::minutes(8);

 private:
  struct Work;
  class Worker;

  bool is_hanging(const CustomerId& customer) const;
  bool is_slow(const CustomerId& customer) const;
  bool is_troubled(const CustomerId& customer, Signal signal) const;
  bool end_trouble(const CustomerId& customer, Signal signal);
  std::size_t weight_max(const CustomerId& customer) const;
  void note_trouble(const Work& work);
  void note_turn(const Work& work);

  const SideLaneSettings settings_;
  const SideLaneParts parts_;
  std::atomic<bool> is_stopping_{false};
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::uint64_t changes_ = 0;
  std::set<std::string, std::less<>> slow_;                       // followed
  std::set<std::string, std::less<>> hanging_;                    // the second worker's
  std::map<std::pair<std::string, Signal>, TimePoint> troubled_;  // followed; the last failure
  std::map<std::string, std::size_t, std::less<>> weights_;
  std::vector<std::unique_ptr<Worker>> workers_;
};

}  // namespace vigia::collector::side
