#include "services/router/api/loki/work_watch.hpp"

#include <ctime>
#include <utility>

namespace vigia::router::api::loki {
namespace {

std::uint64_t seconds_of(Duration duration) {
  return static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::seconds>(duration).count());
}

}  // namespace

std::string_view why_ended(WorkEnd end) {
  switch (end) {
    case WorkEnd::kWork:
      return "took too much of a processor (line filters in front of other stages save most)";
    case WorkEnd::kLines:
    case WorkEnd::kBytes:
      return "looked at too many lines";
    default:
      return "took too long";
  }
}

Error client_left() { return {ErrorCode::kDeadline, "the client has left"}; }

Duration thread_work() {
  timespec time{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
}

WorkBounds WorkBounds::of(const access::QueryLimits& limits, Duration query_timeout) {
  const Duration time = limits.log_at_most(query_timeout);
  return {time, time < query_timeout, limits.log_work, limits.log_lines, limits.log_bytes};
}

WorkWatch::WorkWatch(const Clock& clock, WorkBounds bounds,
                     std::shared_ptr<access::Interest> interest, std::function<Duration()> worked)
    : clock_(clock),
      bounds_(bounds),
      interest_(std::move(interest)),
      worked_(std::move(worked)),
      began_(clock.steady()),
      deadline_(began_ + bounds.time),
      looked_(began_) {}

void WorkWatch::resume() { resumed_ = worked_(); }

void WorkWatch::rest() { before_ += worked_() - resumed_; }

WorkEnd WorkWatch::look() {
  if (interest_->is_lost()) return WorkEnd::kClientLeft;
  const TimePoint now = clock_.steady();
  if (now >= deadline_) return WorkEnd::kTime;
  // A call of the system, dearer than most lines.
  if (now - looked_ < std::chrono::milliseconds(1)) return WorkEnd::kNone;
  looked_ = now;
  if (bounds_.work <= Duration::zero()) return WorkEnd::kNone;
  return before_ + worked_() - resumed_ > bounds_.work ? WorkEnd::kWork : WorkEnd::kNone;
}

WorkEnd WorkWatch::look_at_line(std::size_t bytes) {
  if (const WorkEnd end = look(); end != WorkEnd::kNone) return end;
  if (bounds_.lines > 0 && lines_ >= bounds_.lines) return WorkEnd::kLines;
  // One line alone is always looked at.
  if (bounds_.bytes > 0 && lines_ > 0 && bytes_ + bytes > bounds_.bytes) return WorkEnd::kBytes;
  ++lines_;
  bytes_ += bytes;
  return WorkEnd::kNone;
}

WorkEnd WorkWatch::note(std::uint64_t lines, std::uint64_t bytes, Duration work) {
  lines_ += lines;
  bytes_ += bytes;
  before_ += work;
  if (bounds_.lines > 0 && lines_ > bounds_.lines) return WorkEnd::kLines;
  if (bounds_.bytes > 0 && lines_ > 1 && bytes_ > bounds_.bytes) return WorkEnd::kBytes;
  return WorkEnd::kNone;
}

Error WorkWatch::too_much(WorkEnd end, std::string sentence) const {
  using access::QueryLimit;
  switch (end) {
    case WorkEnd::kWork:
      return access::over_limit(QueryLimit::kLogWork, seconds_of(bounds_.work), sentence);
    case WorkEnd::kLines:
      return access::over_limit(QueryLimit::kLogLines, bounds_.lines, sentence);
    case WorkEnd::kBytes:
      return access::over_limit(QueryLimit::kLogBytes, bounds_.bytes, sentence);
    default:
      break;
  }
  if (!bounds_.is_time_limited) return {ErrorCode::kInvalid, std::move(sentence)};
  return access::over_limit(QueryLimit::kSeconds, seconds_of(bounds_.time), sentence);
}

}  // namespace vigia::router::api::loki
