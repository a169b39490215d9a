#include "services/router/coverage/known_cold_store.hpp"

#include <algorithm>
#include <cstdlib>
#include <utility>

#include <fmt/format.h>

#include "libs/service/log.hpp"

namespace vigia::router::coverage {
namespace {

using disk_log::StoreIdentity;

std::optional<disk_log::KeptLineForm> form_of(const std::string& file) {
  if (file.empty()) return std::nullopt;
  return disk_log::store_identity_form(file);
}

/// "ID MILLISECONDS": of another store than the known one it says nothing.
std::optional<disk_log::KeptLineForm> seen_form_of(const std::string& file) {
  if (file.empty()) return std::nullopt;
  return disk_log::store_identity_form(file + ".seen");
}

}  // namespace

KnownColdStore::KnownColdStore(const std::string& file, disk_log::FileSystem& files)
    : form_(form_of(file)), seen_form_(seen_form_of(file)), files_(files) {
  if (!form_) return;
  const auto line = disk_log::read_kept_line(*form_, files_);
  if (!line || (line->text.empty() && line->damaged > 0)) {
    service::log_error(
        "which cold store was known cannot be read: the first that answers is taken for it",
        {{"file", file}, {"why", line ? "damaged" : line.error().message}});
  } else {
    known_ = disk_log::parse_store_identity(line->text);
    read_seen();
  }
}

void KnownColdStore::read_seen() {
  const auto line = disk_log::read_kept_line(*seen_form_, files_);
  const auto seen = line ? disk_log::parse_store_identity(line->text) : std::nullopt;
  if (!seen || !known_ || seen->id != known_->id) return;
  known_seen_ms_ = seen->made_ms;
  kept_seen_ms_ = seen->made_ms;
}

void KnownColdStore::note(const std::optional<StoreIdentity>& seen, TimestampMs now_ms) {
  if (!seen) return;  // an older program, or one that could not write it
  const std::lock_guard lock(mutex_);
  // Compared with the look before: said once when it changes, not every two seconds.
  const bool was_known = !seen_ || seen_->id == known_->id;
  seen_ = seen;
  if (!known_) {
    known_ = seen;
    is_due_ = form_.has_value();
  }
  const bool is_known = seen->id == known_->id;
  if (is_known) {
    known_seen_ms_ = now_ms;
    is_due_ = is_due_ || (form_ && std::abs(now_ms - kept_seen_ms_) >= kSeenEveryMs);
  }
  if (was_known == is_known) return;
  if (is_known) {
    service::log_info("the cold store is the known one again", {{"id", seen->id}});
  } else {
    service::log_error(
        "the cold store is not the one that was known: answers of it say so until that one is back "
        "or a person confirms it (docs/deployment.md, \"When the cold store comes up empty\")",
        {{"id", seen->id}, {"known", known_->id}});
  }
}

bool KnownColdStore::is_due() const {
  const std::lock_guard lock(mutex_);
  return is_due_;
}

void KnownColdStore::keep() {
  const std::lock_guard writing(writing_);
  std::unique_lock lock(mutex_);
  if (!is_due_) return;
  // A copy, since writing takes long on a slow disk: note() comes from the looks at stores.
  const StoreIdentity known = *known_;
  const TimestampMs seen_ms = known_seen_ms_;
  lock.unlock();
  const auto written = write(known, seen_ms);
  lock.lock();
  is_due_ = !written;
  if (written) kept_seen_ms_ = seen_ms;
  if (!written && !std::exchange(is_failure_told_, true)) {
    service::log_warn(
        "which cold store is known cannot be written: a restart would take any for it; tried again",
        {{"file", form_->path}, {"why", written.error().message}});
  }
}

Result<void> KnownColdStore::write(const StoreIdentity& known, TimestampMs seen_ms) const {
  if (!form_) return {};
  auto written = disk_log::write_kept_line(*form_, disk_log::to_text(known), files_);
  if (!written) return written;
  return disk_log::write_kept_line(*seen_form_, disk_log::to_text({known.id, seen_ms}), files_);
}

std::optional<ColdReplacement> KnownColdStore::replacement() const {
  const std::lock_guard lock(mutex_);
  if (!seen_ || seen_->id == known_->id) return std::nullopt;
  // One that was made while the known one was still there was filled elsewhere, or under a wrong
  // clock: nobody knows what it has.
  const bool is_newer = known_seen_ms_ > 0 && seen_->made_ms >= known_seen_ms_ - kClocksMs;
  if (!is_newer) return ColdReplacement{};
  return ColdReplacement{std::max(seen_->made_ms, known_seen_ms_)};
}

Result<bool> KnownColdStore::confirm() {
  const std::lock_guard writing(writing_);
  std::unique_lock lock(mutex_);
  if (!seen_ || seen_->id == known_->id) return false;
  const StoreIdentity confirmed = *seen_;
  lock.unlock();
  // On disk first: a confirmation that a restart forgets would be asked for again.
  if (auto written = write(confirmed, 0); !written) return forward(written);
  lock.lock();
  known_seen_ms_ = 0;  // the next look says it
  kept_seen_ms_ = 0;
  service::log_warn("a person confirmed another cold store",
                    {{"id", confirmed.id}, {"instead_of", known_->id}});
  known_ = confirmed;
  is_due_ = false;
  return true;
}

}  // namespace vigia::router::coverage
