// When a query of logs ends whatever it would still find.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "libs/base/clock.hpp"
#include "libs/base/result.hpp"
#include "services/router/access/interest.hpp"
#include "services/router/access/query_limits.hpp"

namespace vigia::router::api::loki {

enum class WorkEnd : std::uint8_t { kNone, kClientLeft, kTime, kWork, kLines, kBytes };
/// "took too long", to follow "the query". Of all but kNone and kClientLeft.
std::string_view why_ended(WorkEnd end);
/// Of kClientLeft: nobody reads it.
Error client_left();

/// Processor time of the calling thread.
Duration thread_work();

/// What one query takes at the most. 0, but of `time`: as much as it likes.
struct WorkBounds {
  /// `query_timeout`: the router's of all queries.
  static WorkBounds of(const access::QueryLimits& limits, Duration query_timeout);

  Duration time{0};
  bool is_time_limited = false;  ///< by the caller's own limit, which is less than anybody's
  Duration work{0};              ///< of a processor, all its pages together
  std::uint64_t lines = 0;       ///< that are looked at
  std::uint64_t bytes = 0;       ///< of their texts
};

/// For one query, one thread at a time. Looked at for each line: its stages may take milliseconds.
class WorkWatch {
 public:
  /// Begins now. The clock must outlive it; `interest` is never null.
  WorkWatch(const Clock& clock, WorkBounds bounds, std::shared_ptr<access::Interest> interest,
            std::function<Duration()> worked = &thread_work);

  /// The calling thread works for the query from here on until rest().
  void resume();
  void rest();
  /// Between resume() and rest(). What has been worked is looked at once a millisecond.
  WorkEnd look();
  /// The same of one line more, which is to be looked at; it is counted where nothing ends.
  WorkEnd look_at_line(std::size_t bytes);
  /// What another program has looked at and worked for it. What ends the query unless it has all
  /// that it wants.
  WorkEnd note(std::uint64_t lines, std::uint64_t bytes, Duration work);
  /// The error of an end that is not the client's: `sentence` with the limit that it is of.
  Error too_much(WorkEnd end, std::string sentence) const;
  /// Until it has taken too long.
  Duration left() const { return deadline_ - clock_.steady(); }
  Duration took() const { return clock_.steady() - began_; }
  std::uint64_t lines() const { return lines_; }
  std::uint64_t bytes() const { return bytes_; }

 private:
  const Clock& clock_;
  const WorkBounds bounds_;
  const std::shared_ptr<access::Interest> interest_;
  const std::function<Duration()> worked_;
  const TimePoint began_;
  const TimePoint deadline_;
  TimePoint looked_;     // at worked_
  Duration resumed_{0};  // worked_ then
  Duration before_{0};   // what was worked until then
  std::uint64_t lines_ = 0;
  std::uint64_t bytes_ = 0;
};

}  // namespace vigia::router::api::loki
