// What hot covers, store by store, kept fresh by reading heartbeats; and which PromQL it speaks.
#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "libs/base/clock.hpp"
#include "libs/base/task.hpp"
#include "libs/promql/functions.hpp"
#include "services/router/coverage/covered.hpp"
#include "services/router/coverage/customer_holes.hpp"
#include "services/router/coverage/scrapes.hpp"
#include "services/router/coverage/settings.hpp"
#include "services/router/coverage/shard_coverage.hpp"
#include "services/router/upstream/upstream.hpp"

namespace vigia::router::coverage {

/// One Prometheus of hot.
struct HotStore {
  const upstream::Upstream* store = nullptr;
  std::string shard;        ///< as heartbeats name it
  bool is_of_pair = false;  ///< another one has the same shard
};

/// Reads `vigia_hot_heartbeat{shard="…",collector="…"}` in each store: all of it at first and
/// every few minutes, in between the newest, and each time counts whether the store still holds the
/// runs that are known, and is still the process that it was, so that one that was wiped is
/// noticed, also where what it lost was written to it again. After the heartbeats, before which the
/// collectors write them, the holes of single customers are read, `vigia_hot_hole{shard="…"}`. A
/// member of a pair is asked for gaps in its own scrapes, too (see Scrapes): the other one may have
/// none. What is not known for sure counts as not covered. Thread contract: everything public from
/// any thread; some threads of its own poll, each one store at a time, so that a silent store keeps
/// nobody from knowing what the others hold.
class Coverage {
 public:
  /// Stores that are polled at once, at the most.
  static constexpr std::size_t kAtOnceMax = 8;

  /// Polls until destroyed. What it refers to must outlive it; stores are known by their place
  /// among these.
  Coverage(const CoverageSettings& settings, std::vector<HotStore> stores, const Clock& clock);
  ~Coverage();
  Coverage(const Coverage&) = delete;
  Coverage& operator=(const Coverage&) = delete;

  /// From when on that store holds everything of all customers but for their own holes: max(now −
  /// edge, start of the heartbeats' last run).
  std::optional<TimestampMs> covered_from(std::size_t store) const;
  /// The same of one customer, or of all, with its holes.
  Covered covered(std::size_t store, const std::optional<CustomerId>& customer) const;
  /// The store did not answer: it may come back empty, so nothing counts until it was read anew.
  void mark_suspect(std::size_t store);
  /// Calls `then` when what that store has answered until now can be held against what is known of
  /// it: at once where all its connections are older than the last reading; else after the next
  /// one, since a store that came back empty between two readings answers over a new connection,
  /// and has nothing to say. On the caller's thread or one of the own ones; not at all where this
  /// is destroyed before.
  void when_confirmed(std::size_t store, Task<void()> then);
  /// What every store that has answered knows: 2.x where one of them is, and until one has.
  promql::Dialect dialect() const;
  /// The oldest version of those that stores have said, "" before.
  std::string version() const;
  /// That store's, "" before it has answered.
  std::string version(std::size_t store) const;

 private:
  struct Unconfirmed {
    std::uint64_t connections = 0;  ///< so many the poll must have known of that confirms it
    Task<void()> then;
  };
  struct Known {
    explicit Known(Duration gap_max) : coverage(gap_max) {}
    ShardCoverage coverage;
    CustomerHoles holes;
    Scrapes scrapes;
    std::optional<TimePoint> checked_at;     ///< last successful poll
    std::optional<TimePoint> fully_read_at;  ///< last time that all heartbeats were read
    std::optional<TimePoint> version_at;
    std::string version;
    std::string began;             ///< as its process says it; "" where it does not
    std::uint64_t suspicions = 0;  ///< of mark_suspect; what was read before one is void
    TimePoint due{};               ///< of the next poll
    bool is_polled = false;        ///< by one of the threads, now
    /// Upstream::connections when the last poll began: it saw what these ended at, or a successor.
    std::uint64_t connections = 0;
    std::vector<Unconfirmed> unconfirmed;
  };

  std::optional<TimestampMs> covered_from(const Known& known) const;
  std::uint64_t suspicions_of(std::size_t index) const;
  void run();
  std::optional<std::size_t> take_due_locked();
  Duration until_due_locked() const;
  std::vector<Unconfirmed> end_poll_locked(std::size_t index, std::uint64_t connections);
  void poll(std::size_t index);
  bool read_start(std::size_t index);
  bool read_version(std::size_t index);
  bool read_all(std::size_t index, std::uint64_t suspicions);
  bool read_newest(std::size_t index, std::uint64_t suspicions);
  struct Holes {
    CustomerHoles::Seconds lost;
    CustomerHoles::Seconds waiting;
  };
  /// Of so much of the past; who waits as of now.
  std::optional<Holes> read_holes(std::size_t index, Duration range) const;
  std::optional<CustomerHoles::Seconds> read_hole(std::size_t index, std::string_view kind,
                                                  Duration range) const;
  /// Of that long before.
  std::optional<BeatsByCollector> read_beats(std::size_t index, TimestampMs until_ms,
                                             Duration range) const;
  /// Of each collector the newest that lies in the future.
  std::optional<std::map<std::string, TimestampMs>> read_ahead(std::size_t index,
                                                               TimestampMs now_ms) const;
  bool holds(std::size_t index, const std::string& collector, const ShardCoverage::Run& run) const;

  const CoverageSettings& settings_;
  const std::vector<HotStore> stores_;
  const Clock& clock_;
  const SystemClock pace_;  // of the polls
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  bool is_stopping_ = false;
  std::vector<Known> known_;  // by the stores' places
  std::vector<std::thread> threads_;
};

}  // namespace vigia::router::coverage
