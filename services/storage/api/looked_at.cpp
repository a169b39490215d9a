#include "services/storage/api/looked_at.hpp"

#include <ctime>

#include <fmt/format.h>

namespace vigia::storage::api {
namespace {

// Between two looks at the clock: a microsecond or two, unless a regex is slow.
constexpr std::uint64_t kBetweenLooks = 4U << 10U;
constexpr std::uint64_t kOfARecord = 256;  // beside its text

/// Processor time of the calling thread.
Duration thread_work() {
  timespec time{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
}

}  // namespace

LookedAt::LookedAt(const store::WorkLimit& limit) : limit_(limit), work_before_(thread_work()) {}

bool LookedAt::is_enough() {
  if (bytes_ >= kLookedAtBytesMax) return true;
  const std::uint64_t read = bytes_ + kOfARecord * (records_ + passed_by_);
  if (read - timed_at_ < kBetweenLooks) return false;
  timed_at_ = read;
  return limit_.has_lasted(kLookedAtTimeMax);
}

std::string LookedAt::json() const {
  const auto work =
      std::chrono::duration_cast<std::chrono::microseconds>(thread_work() - work_before_);
  return fmt::format(R"({{"records":{},"bytes":{},"work_us":{}}})", records_, bytes_, work.count());
}

}  // namespace vigia::storage::api
