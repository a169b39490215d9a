#include "services/storage/store/cassandra/retention_class.hpp"

#include <algorithm>
#include <string>

#include <fmt/format.h>

#include "libs/base/rfc3339.hpp"

namespace vigia::storage::store::cassandra {
namespace {

using std::chrono::hours;

constexpr Duration days(int count) { return hours(24 * count); }
constexpr RetentionClass kClasses[] = {
    {"90d", days(90), days(92)},    {"400d", days(400), days(402)},   {"2y", days(730), days(732)},
    {"5y", days(1825), days(1827)}, {"kept", Duration(), Duration()},
};
// The last second that a signed 32-bit number holds stands for "never" in the files of every format
// that Cassandra 4 reads, which version 5 writes unless it is told otherwise.
constexpr std::int64_t kLastExpiryS = INT32_MAX - 1;

std::int64_t seconds(Duration duration) {
  return std::chrono::duration_cast<std::chrono::seconds>(duration).count();
}

std::string date_of(std::int64_t seconds_since_1970) {
  return format_rfc3339(seconds_since_1970 * 1000).value_or("a date past all calendars");
}

}  // namespace

std::span<const RetentionClass> retention_classes() { return kClasses; }

Result<RetentionClass> class_of(std::string_view what, Duration keep) {
  const auto keeps = [&](const RetentionClass& one) {
    return keep == Duration() ? one.keep == Duration() : one.keep >= keep;
  };
  const auto* const found = std::find_if(std::begin(kClasses), std::end(kClasses), keeps);
  if (found != std::end(kClasses)) return *found;
  std::string all;
  for (const RetentionClass& one : kClasses) {
    if (one.keep != Duration()) all += fmt::format("{} ", one.name);
  }
  return fail(ErrorCode::kInvalid,
              fmt::format("retention of {}: {} is longer than every class of the store on "
                          "Cassandra ({}or 0, for ever)",
                          what, format_duration(keep), all));
}

Result<void> check_expiry(std::string_view what, const RetentionClass& one, std::int64_t now_s) {
  const std::int64_t end_seconds = now_s + seconds(one.time_to_live);
  if (one.time_to_live == Duration() || end_seconds <= kLastExpiryS) return {};
  return fail(ErrorCode::kInvalid,
              fmt::format("retention of {}: what is written today in class {} would end on {}, and "
                          "Cassandra knows no end after {}: choose a shorter one, or 0",
                          what, one.name, date_of(end_seconds), date_of(kLastExpiryS)));
}

}  // namespace vigia::storage::store::cassandra
