#include "services/storage/retention/retention_guard.hpp"

#include <algorithm>
#include <fstream>

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include "libs/base/bytes.hpp"
#include "libs/base/crc32c.hpp"
#include "libs/base/rfc3339.hpp"
#include "libs/service/log.hpp"

namespace vigia::storage::retention {
namespace {

using std::chrono::duration_cast;
using std::chrono::milliseconds;

// Records are this much younger than the wall clock at most where all is well.
constexpr TimestampMs kRecordSlackMs = 3'600'000;
constexpr Duration kHold = std::chrono::hours(1);
// A clock that moves on evenly is this close to the steady one.
constexpr Duration kEvenWithin = std::chrono::minutes(10);
constexpr int kShareOfKeep = 10;
constexpr std::string_view kMagic = "VGRT";
constexpr std::uint32_t kVersion = 1;

TimestampMs in_ms(Duration duration) { return duration_cast<milliseconds>(duration).count(); }

std::string date_of(TimestampMs time_ms) {
  return format_rfc3339(time_ms).value_or(fmt::to_string(time_ms));
}

std::string encode(TimestampMs last_ms) {
  std::string bytes(kMagic);
  append_u32(bytes, kVersion);
  append_u64(bytes, static_cast<std::uint64_t>(last_ms));
  append_u32(bytes, crc32c(bytes));
  return bytes;
}

// Whole or not at all. Where it cannot be written, the next start waits an hour.
void write_file(const std::string& path, std::string_view bytes) {
  const std::string draft = path + ".new";
  const int file = open(draft.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);
  if (file < 0) return;
  const bool ok = write(file, bytes.data(), bytes.size()) == static_cast<ssize_t>(bytes.size()) &&
                  fdatasync(file) == 0;
  close(file);
  // The folder is not synced: a rename that a crash undoes costs an hour's wait, too.
  if (!ok || rename(draft.c_str(), path.c_str()) != 0) {
    service::log_warn("the time of the last expiry cannot be kept", {{"file", path}});
  }
}

}  // namespace

RetentionGuard::RetentionGuard(std::string state_file, Duration shortest_keep, const Clock& clock)
    : state_file_(std::move(state_file)),
      shortest_keep_(shortest_keep),
      clock_(clock),
      last_at_(clock.steady()) {
  load();
}

void RetentionGuard::load() {
  std::ifstream file(state_file_, std::ios::binary);
  const std::string bytes{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  if (bytes.size() < kMagic.size()) return;
  ByteReader reader(std::string_view(bytes).substr(kMagic.size()));
  const std::uint32_t version = reader.read_u32();
  const auto last_ms = static_cast<TimestampMs>(reader.read_u64());
  if (reader.ok() && version == kVersion && bytes == encode(last_ms)) last_ms_ = last_ms;
}

std::optional<TimestampMs> RetentionGuard::now(TimestampMs newest_ms) {
  const std::lock_guard lock(mutex_);
  // Before the first record only the wall clock speaks, and that is the one which may be wrong.
  if (newest_ms == 0) return std::nullopt;
  const TimestampMs now_ms = careful_ms(newest_ms);
  const bool is_behind = last_ms_ != 0 && now_ms <= last_ms_;
  // A little behind is no doubt (customers stop sending, clocks are set back by seconds), and there
  // is nothing new to expire.
  if (is_behind && last_ms_ - now_ms <= kRecordSlackMs) return std::nullopt;
  if (!is_plausible(now_ms) && !is_sure(now_ms)) return std::nullopt;
  accept(now_ms);
  return now_ms;
}

TimestampMs RetentionGuard::known_ms(TimestampMs newest_ms) const {
  const std::lock_guard lock(mutex_);
  if (newest_ms == 0) return last_ms_;
  const TimestampMs now_ms = careful_ms(newest_ms);
  return is_plausible(now_ms) ? now_ms : last_ms_;
}

// The earlier of the two: to delete late can be made good.
TimestampMs RetentionGuard::careful_ms(TimestampMs newest_ms) const {
  return std::min(clock_.wall_ms(), newest_ms + kRecordSlackMs);
}

bool RetentionGuard::is_plausible(TimestampMs now_ms) const {
  if (last_ms_ == 0 || now_ms <= last_ms_) return false;
  const TimestampMs run_ms = in_ms(clock_.steady() - last_at_);
  // A tenth of the shortest time beyond what has passed here: a restart after a night is let
  // through, and a wrong clock within that costs at most a tenth of what is kept.
  return now_ms - last_ms_ <= run_ms + in_ms(shortest_keep_) / kShareOfKeep;
}

// A doubt that has lasted, or that a person has taken away.
bool RetentionGuard::is_sure(TimestampMs now_ms) {
  const TimePoint steady = clock_.steady();
  const bool is_even = held_since_.has_value() &&
                       now_ms - held_ms_ <= in_ms(steady - *held_since_) + in_ms(kEvenWithin) &&
                       held_ms_ - now_ms <= in_ms(kEvenWithin);
  // Asked again at each sweep against where the doubt began, so that steps in between begin it
  // anew.
  if (is_even) return is_confirmed_ || steady - *held_since_ >= kHold;
  is_confirmed_ = false;  // it was said of another time
  held_since_ = steady;
  held_ms_ = now_ms;
  why_ = fmt::format(
      "the time by clock and records is {}, the last that was sure {}: nothing expires until it "
      "has gone on evenly for an hour",
      date_of(now_ms), last_ms_ == 0 ? "is not known" : date_of(last_ms_));
  service::log_warn("expiry waits",
                    {{"why", why_},
                     {"next",
                      "if the clock is right, POST /api/v1/retention/confirm with the "
                      "internal token; else set it right"}});
  return false;
}

void RetentionGuard::accept(TimestampMs now_ms) {
  last_ms_ = now_ms;
  last_at_ = clock_.steady();
  held_since_.reset();
  is_confirmed_ = false;
  why_.clear();
  write_file(state_file_, encode(now_ms));
}

bool RetentionGuard::confirm() {
  const std::lock_guard lock(mutex_);
  is_confirmed_ = held_since_.has_value();
  return is_confirmed_;
}

std::string RetentionGuard::held_because() const {
  const std::lock_guard lock(mutex_);
  return why_;
}

}  // namespace vigia::storage::retention
