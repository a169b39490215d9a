#include "services/router/api/loki/work_watch.hpp"

#include <algorithm>
#include <ctime>
#include <utility>

#include <fmt/format.h>

namespace vigia::router::api::loki {

std::string why_ended(WorkEnd end) {
  if (end != WorkEnd::kWork) return "took too long";
  return fmt::format("took {} s of a processor (line filters in front of other stages save most)",
                     kLogQueryWorkMax.count());
}

Error client_left() { return {ErrorCode::kDeadline, "the client has left"}; }

Duration thread_work() {
  timespec time{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
}

WorkWatch::WorkWatch(const Clock& clock, Duration time_max,
                     std::shared_ptr<access::Interest> interest, std::function<Duration()> worked)
    : clock_(clock),
      interest_(std::move(interest)),
      worked_(std::move(worked)),
      began_(clock.steady()),
      deadline_(began_ + std::min<Duration>(time_max, kLogQueryTimeMax)),
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
  return before_ + worked_() - resumed_ > kLogQueryWorkMax ? WorkEnd::kWork : WorkEnd::kNone;
}

}  // namespace vigia::router::api::loki
