// When a query of logs ends whatever it would still find.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "libs/base/clock.hpp"
#include "libs/base/result.hpp"
#include "services/router/access/interest.hpp"

namespace vigia::router::api::loki {

/// What one query takes at the longest, where the router's query_timeout is not less.
inline constexpr std::chrono::seconds kLogQueryTimeMax{60};
/// What one query takes of a processor at the most, all its pages together.
inline constexpr std::chrono::seconds kLogQueryWorkMax{10};

enum class WorkEnd : std::uint8_t { kNone, kClientLeft, kTime, kWork };
/// "took too long", to follow "the query". Of kTime and kWork.
std::string why_ended(WorkEnd end);
/// Of kClientLeft: nobody reads it.
Error client_left();

/// Processor time of the calling thread.
Duration thread_work();

/// For one query, one thread at a time. Looked at for each line: its stages may take milliseconds.
class WorkWatch {
 public:
  /// Begins now, with `time_max` or kLogQueryTimeMax, whichever is less. The clock must outlive it;
  /// `interest` is never null.
  WorkWatch(const Clock& clock, Duration time_max, std::shared_ptr<access::Interest> interest,
            std::function<Duration()> worked = &thread_work);

  /// The calling thread works for the query from here on until rest().
  void resume();
  void rest();
  /// Between resume() and rest(). What has been worked is looked at once a millisecond.
  WorkEnd look();
  /// Until it has taken too long.
  Duration left() const { return deadline_ - clock_.steady(); }
  Duration took() const { return clock_.steady() - began_; }

 private:
  const Clock& clock_;
  const std::shared_ptr<access::Interest> interest_;
  const std::function<Duration()> worked_;
  const TimePoint began_;
  const TimePoint deadline_;
  TimePoint looked_;     // at worked_
  Duration resumed_{0};  // worked_ then
  Duration before_{0};   // what was worked until then
};

}  // namespace vigia::router::api::loki
