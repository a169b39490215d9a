#include "services/agent/sender/clock_offset.hpp"

#include <algorithm>
#include <cmath>
#include <ctime>

#include <fmt/format.h>

#include "libs/service/log.hpp"

namespace vigia::agent::sender {

namespace {

constexpr double kNanoseconds = 1e9;
/// What the two clocks may drift apart while an answer is under way; more is a step.
constexpr Duration kStep = std::chrono::milliseconds(100);

}  // namespace

std::optional<std::int64_t> parse_http_date(std::string_view text) {
  std::tm date{};
  const std::string copy(text);
  const char* rest = ::strptime(copy.c_str(), "%a, %d %b %Y %H:%M:%S GMT", &date);
  if (rest == nullptr || *rest != '\0') return std::nullopt;
  return ::timegm(&date);
}

void ClockOffset::note(const Asked& asked, std::string_view date) {
  const auto collector_s = parse_http_date(date);
  const Duration took = clock_.steady() - asked.steady;
  if (!collector_s || took > kAnswerMax) return;
  const Duration wall_took{clock_.wall_ns() - asked.wall_ns};
  // The wall clock was set while the answer was under way: nothing can be told from this one.
  if (wall_took > took + kStep || wall_took < took - kStep) return;
  const double asked_s = static_cast<double>(asked.wall_ns) / kNanoseconds;
  const double answered_s = asked_s + std::chrono::duration<double>(took).count();
  const auto date_s = static_cast<double>(*collector_s);
  // The date is cut to a second and was taken somewhere between question and answer, so one answer
  // gives bounds; each further one narrows them to what all agree with.
  const double least = asked_s - (date_s + 1);
  const double most = answered_s - date_s;
  double now = 0;
  {
    const std::lock_guard lock(mutex_);
    now = seconds_ ? std::clamp(*seconds_, least, most) : (least + most) / 2;
    seconds_ = now;
    if (std::abs(now) <= kWarnSeconds || !may_warn()) return;
  }
  service::log_warn("the clocks of node and collector differ; set the one that is wrong",
                    {{"reason", describe_offset(now)}});
}

/// REQUIRES: mutex_ is held.
bool ClockOffset::may_warn() {
  const TimePoint now = clock_.steady();
  if (warned_at_ && now - *warned_at_ < kWarnInterval) return false;
  warned_at_ = now;
  return true;
}

std::optional<double> ClockOffset::seconds() const {
  const std::lock_guard lock(mutex_);
  return seconds_;
}

std::string describe_offset(double seconds) {
  return fmt::format("this node's clock is {:.0f} s {} the collector's", std::abs(seconds),
                     seconds < 0 ? "behind" : "ahead of");
}

}  // namespace vigia::agent::sender
