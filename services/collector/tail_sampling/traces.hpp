// The traces of all customers: those that wait for their verdict, and the verdicts that are still
// asked for.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "libs/base/clock.hpp"
#include "services/collector/tail_sampling/policy.hpp"
#include "services/collector/tail_sampling/settings.hpp"

namespace vigia::collector::tail_sampling {

struct Verdict {
  TraceId id{};
  bool is_kept = false;
  bool operator==(const Verdict&) const = default;
};

/// What was decided of a customer in one go, and what its rate limits have left after it.
struct VerdictBatch {
  std::string customer;
  std::vector<Verdict> verdicts = {};
  std::vector<double> levels = {};
};

/// How many of what, for the metrics. Of one customer, since the start.
struct TraceCounts {
  std::uint64_t kept = 0, dropped = 0;  ///< traces decided
  std::uint64_t early = 0;              ///< of these, before decision_wait, for num_traces
  std::uint64_t by_record = 0;          ///< of these, by a record alone; again for each record
  std::uint64_t late_spans = 0;         ///< came after their trace's verdict
  std::uint64_t waiting = 0;            ///< traces undecided now
  std::uint64_t in_memory = 0;          ///< traces, decided or not, now
};

/// Of records that are read in their order, each with its sequence. A verdict stays until what was
/// read with it has been passed, and beyond that as long as there is room for it. Who is over its
/// share has further traces decided by each of their records alone, when it is passed: of these
/// nothing is in memory, so that reading goes on for everybody else.
/// Thread contract: one thread.
class Traces {
 public:
  enum class State : std::uint8_t { kUnknown, kWaiting, kDropped, kKept };
  /// Ids are chosen by their senders: by an unkeyed hash they could be made to meet.
  struct KeyedHash {
    std::uint64_t first, second;
    std::size_t operator()(const TraceId& id) const;
  };

  explicit Traces(const TailSamplingSettings& settings);

  /// A span that was read from the record of that sequence. Where too many wait, the oldest of the
  /// customer that has the most is decided by what is there. A new trace of a customer that is over
  /// its share stays unknown.
  void add(const std::string& customer, const TraceId& id, const TraceFacts& span,
           std::uint64_t sequence, TimePoint now);
  /// Decides what has waited long enough.
  void decide_due(TimePoint now);
  /// A trace that is unknown though its record is being passed: whether it is kept, by what that
  /// record alone has of it. The verdict is remembered where the customer has place for it.
  bool decide_alone(const std::string& customer, const TraceId& id, const TraceFacts& facts,
                    std::uint64_t sequence, TimePoint now);
  State find(const std::string& customer, const TraceId& id) const;

  /// What was decided since the last call and is to be written down before it is acted on.
  std::vector<VerdictBatch> take_decided();
  /// Every verdict that is in memory, and every level: what a log of verdicts begins anew with.
  std::vector<VerdictBatch> all_decided() const;
  /// A batch of an earlier run. Its verdicts are needed until `sequence` has been passed.
  void restore(const VerdictBatch& batch, std::uint64_t sequence, TimePoint now);

  /// Every record up to that sequence has been passed: lets go of the verdicts that are neither
  /// needed nor within `remembered`, the oldest of who has the most first.
  void pass(std::uint64_t sequence);

  const KeyedHash& hash() const { return hash_; }
  std::size_t in_memory() const { return in_memory_; }
  /// Traces that are to be in memory, decided or not. At twice of it nobody has a new one.
  std::size_t room() const { return room_; }
  /// Customers who hold more than twice the room that is free, and the mean at least: who holds
  /// little is not over while others take it all.
  std::set<std::string> over_share() const;
  bool is_over_share(const std::string& customer) const;
  /// When the oldest that waits was first seen; nothing waits: `now`.
  TimePoint oldest(TimePoint now) const;
  std::map<std::string, TraceCounts> counts() const;

 private:
  struct Trace {
    TraceFacts facts;
    TimePoint since{};
    std::uint64_t last_sequence = 0;
    State state = State::kWaiting;
  };
  struct Customer {
    Customer(const KeyedHash& hash, std::vector<RateLevel> full)
        : traces(0, hash), levels(std::move(full)) {}
    std::unordered_map<TraceId, Trace, KeyedHash> traces;
    std::deque<TraceId> waiting;  // in the order of their first spans
    std::deque<TraceId> decided;  // in the order of their verdicts; behind them what was spared
    std::vector<RateLevel> levels;
    VerdictBatch unwritten;
    TraceCounts counts;
  };
  using Customers = std::map<std::string, Customer, std::less<>>;

  Customer& customer_of(const std::string& name, TimePoint now);
  bool is_over(const Customer& customer) const;
  /// For a new trace of its.
  bool has_place(const Customer& customer) const;
  Trace& remember(Customer& customer, const TraceId& id);
  void decide_oldest(Customer& customer, TimePoint now);
  void decide_over(TimePoint now);
  void settle(Customer& customer, const TraceId& id, Trace& trace, bool is_kept);
  std::size_t forget(Customer& customer, std::size_t count, std::uint64_t passed);

  const Policies& policies_;
  const Duration wait_;
  const std::size_t waiting_max_, remembered_max_, room_;
  const KeyedHash hash_;
  Customers customers_;
  // The customer that was asked for last: spans come by the record, each of one.
  std::string last_name_;
  Customer* last_ = nullptr;
  std::size_t waiting_ = 0;
  std::size_t decided_ = 0;
  std::size_t in_memory_ = 0;
  std::size_t holders_ = 0;  // customers with a trace in memory
};

}  // namespace vigia::collector::tail_sampling
