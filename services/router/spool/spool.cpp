#include "services/router/spool/spool.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "libs/service/log.hpp"

namespace vigia::router::spool {
namespace {

constexpr std::chrono::seconds kRetryAfter{5};
constexpr std::int64_t kTellEveryS = 60;
constexpr std::uint64_t kFreePart = 10;

std::int64_t seconds_of(TimePoint time) {
  return std::chrono::duration_cast<std::chrono::seconds>(time.time_since_epoch()).count();
}

}  // namespace

std::uint64_t SpoolSettings::room_of(std::uint64_t bytes, std::uint64_t free) const {
  return free - std::min({free, free_bytes_min, bytes / kFreePart});
}

Spool::Spool(SpoolSettings settings, service::MetricRegistry& metrics, const Clock& clock)
    : settings_(std::move(settings)),
      clock_(clock),
      shares_({settings_.bytes_max, settings_.bytes_total_max}),
      answers_(metrics.counter("vigia_router_spooled_answers_total",
                               "Answers of over 1 MiB that were kept in a file", {})),
      failures_(metrics.counter("vigia_router_spool_failures_total",
                                "Such answers that could not be, mostly for a full disk", {})),
      refused_(metrics.counter("vigia_router_spool_refused_total",
                               "Such answers that were over their customer's share of the disk",
                               {})),
      of_files_{
          metrics.counter("vigia_router_spool_unread_total",
                          "Such answers whose clients took them too slowly", {}),
          metrics.counter("vigia_router_spool_damaged_total",
                          "Such answers that the disk gave back otherwise than it was given", {})},
      room_(settings_.bytes_total_max) {}

Result<void> Spool::check(const SpoolSettings& settings) {
  auto opened = SpoolFile::open_unnamed(settings.folder);
  if (opened) {
    ::close(*opened);
    return {};
  }
  return fail(ErrorCode::kUnavailable,
              fmt::format("spool.dir: no file can be made in {}: {}; name a folder on a disk that "
                          "the router may write to",
                          settings.folder, opened.error().message));
}

Result<std::shared_ptr<SpoolFile>> Spool::open(Later later) const {
  auto opened = SpoolFile::open_unnamed(settings_.folder);
  if (!opened) return tl::unexpected<Error>(no_room(opened.error().message));
  look_for_room(*opened);
  answers_.add();
  return std::make_shared<SpoolFile>(*opened, std::move(later), of_files_, clock_);
}

/// What cannot be told bounds nobody.
void Spool::look_for_room(int descriptor) const {
  struct statvfs disk{};
  if (::fstatvfs(descriptor, &disk) != 0) return;
  const std::uint64_t block = disk.f_frsize;
  room_ = shares_.bytes() + settings_.room_of(disk.f_blocks * block, disk.f_bavail * block);
  shares_.bound(room_);
}

Error Spool::no_room(std::string_view why) const {
  failures_.add();
  const std::int64_t now = seconds_of(clock_.steady());
  std::int64_t told = told_s_.load();
  const bool is_due = told < 0 || now - told >= kTellEveryS;
  if (is_due && told_s_.compare_exchange_strong(told, now)) {
    service::log_warn("no room for large answers",
                      {{"folder", settings_.folder}, {"error", std::string(why)}});
  }
  return {ErrorCode::kOverLimit,
          "the router has no room on its disk for an answer of this size, and the provider is told "
          "of it: ask for fewer series, a shorter range or a longer step, or again later",
          kRetryAfter};
}

Error Spool::over_share() const {
  if (const std::uint64_t room = room_; room < settings_.bytes_total_max) {
    return no_room(fmt::format("of {} MiB that are there each customer has a share", room >> 20U));
  }
  refused_.add();
  return {ErrorCode::kOverLimit,
          "other large answers under way leave no room for this one; read them, or ask for less",
          kRetryAfter};
}

}  // namespace vigia::router::spool
