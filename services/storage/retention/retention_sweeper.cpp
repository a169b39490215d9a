#include "services/storage/retention/retention_sweeper.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "libs/base/fault.hpp"
#include "libs/service/log.hpp"

namespace vigia::storage::retention {
namespace {

constexpr Duration kLookEach = std::chrono::seconds(1);

}  // namespace

// Zero keeps for ever; it must not become "before now".
std::function<store::ExpiryCuts(TimestampMs now_ms)> cuts_after(Duration keep) {
  const auto kept = std::chrono::duration_cast<std::chrono::milliseconds>(keep).count();
  return [kept](TimestampMs now_ms) {
    return store::ExpiryCuts(kept == 0 ? 0 : std::max<TimestampMs>(now_ms - kept, 0));
  };
}

RetentionSweeper::RetentionSweeper(std::vector<RetentionRule> rules, RetentionGuard& guard,
                                   const customers::RecordTimes& times, Duration interval,
                                   SweepGate gate)
    : rules_(std::move(rules)),
      guard_(guard),
      times_(times),
      interval_(interval),
      gate_(std::move(gate)),
      thread_([this] { run(); }) {}

RetentionSweeper::~RetentionSweeper() {
  {
    const std::lock_guard lock(mutex_);
    is_stopping_ = true;
    wake_.notify_all();
  }
  thread_.join();
}

void RetentionSweeper::run() {
  std::uint64_t changes = gate_.changes();
  while (wait_for_next(changes)) {
    changes = gate_.changes();  // before: what is decided meanwhile is not in this sweep
    sweep();
  }
}

// False where it is being stopped.
bool RetentionSweeper::wait_for_next(std::uint64_t changes) {
  const auto end = std::chrono::steady_clock::now() + interval_;
  std::unique_lock lock(mutex_);
  for (;;) {
    const auto left = end - std::chrono::steady_clock::now();
    if (left <= Duration(0)) return !is_stopping_;
    if (wake_.wait_for(lock, std::min<Duration>(left, kLookEach), [this] { return is_stopping_; }))
      return false;
    lock.unlock();
    if (gate_.changes() != changes) return true;
    lock.lock();
  }
}

void RetentionSweeper::sweep() {
  contain_faults("storage: expiry", [this] {
    const auto now_ms = guard_.now(times_.median_ms());
    if (!now_ms.has_value()) return;
    for (const RetentionRule& rule : rules_) {
      contain_faults("storage: expiry of " + rule.name, [&] { apply(rule, *now_ms); });
    }
  });
  ++sweeps_;
}

void RetentionSweeper::apply(const RetentionRule& rule, TimestampMs now_ms) {
  if (!gate_.begin()) return;
  struct End {  // also where the rule throws
    const SweepGate& gate;
    explicit End(const SweepGate& of) : gate(of) {}
    End(const End&) = delete;
    End& operator=(const End&) = delete;
    ~End() { gate.end(); }
  };
  const End end(gate_);
  const store::ExpiryCuts cuts = rule.cuts(now_ms);
  if (cuts.latest_ms() <= 0) return;
  const auto days = rule.expire(cuts);
  if (!days) {
    service::log_error("expiry failed, trying again",
                       {{"kind", rule.name}, {"error", days.error().message}});
  } else if (*days > 0) {
    service::log_info("expired", {{"kind", rule.name}, {"days", fmt::to_string(*days)}});
  }
}

}  // namespace vigia::storage::retention
