#include "services/monitor/store/driver_failures.hpp"

#include "libs/service/log.hpp"

namespace vigia::monitor::store {
namespace {

constexpr Duration kLogEvery = std::chrono::minutes(1);

std::string_view plain(const Error& error) {
  if (error.message.find("full") != std::string::npos) {
    return "the database has no room left: nothing was changed; the provider has to make room";
  }
  if (error.code == ErrorCode::kUnavailable) {
    return "the database is busy or away: nothing was changed; try again in a moment";
  }
  return "the database failed: nothing was changed; the provider's log says how";
}

}  // namespace

Error DriverFailures::take(const Error& error) {
  if (!error.message.starts_with(kDriverPrefix)) return error;
  const std::uint64_t number = ++count_;
  if (is_log_due()) {
    service::log_error("the database failed",
                       {{"error", error.message}, {"failures", std::to_string(number)}});
  }
  return Error{error.code, std::string(plain(error)), error.retry_after};
}

bool DriverFailures::is_log_due() {
  const auto now = clock_.steady();
  const std::scoped_lock lock(mutex_);
  if (logged_at_ && now - *logged_at_ < kLogEvery) return false;
  logged_at_ = now;
  return true;
}

}  // namespace vigia::monitor::store
