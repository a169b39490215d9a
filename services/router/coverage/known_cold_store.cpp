#include "services/router/coverage/known_cold_store.hpp"

#include <utility>

#include <fmt/format.h>

#include "libs/service/log.hpp"
#include "services/router/request/times.hpp"

namespace vigia::router {
namespace {

using pipeline::StoreIdentity;

std::optional<pipeline::KeptLineForm> form_of(const std::string& file) {
  if (file.empty()) return std::nullopt;
  return pipeline::store_identity_form(file);
}

}  // namespace

std::string ColdReplacement::text() const {
  if (!new_since_ms)
    return "the cold store is not the one that was known: what it lacks is unknown";
  return fmt::format("the cold store is new since {}: what was before is not in it",
                     format_time(*new_since_ms));
}

KnownColdStore::KnownColdStore(const std::string& file, pipeline::FileSystem& files)
    : form_(form_of(file)), files_(files) {
  if (!form_) return;
  const auto line = pipeline::read_kept_line(*form_, files_);
  if (!line || (line->text.empty() && line->damaged > 0)) {
    service::log_error(
        "which cold store was known cannot be read: the first that answers is taken for it",
        {{"file", file}, {"why", line ? "damaged" : line.error().message}});
  } else {
    known_ = pipeline::parse_store_identity(line->text);
  }
}

void KnownColdStore::note(const std::optional<StoreIdentity>& seen) {
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
  lock.unlock();
  const auto written = write(known);
  lock.lock();
  is_due_ = !written;
  if (!written && !std::exchange(is_failure_told_, true)) {
    service::log_warn(
        "which cold store is known cannot be written: a restart would take any for it; tried again",
        {{"file", form_->path}, {"why", written.error().message}});
  }
}

Result<void> KnownColdStore::write(const StoreIdentity& known) const {
  if (!form_) return {};
  return pipeline::write_kept_line(*form_, pipeline::to_text(known), files_);
}

std::optional<ColdReplacement> KnownColdStore::replacement() const {
  const std::lock_guard lock(mutex_);
  if (!seen_ || seen_->id == known_->id) return std::nullopt;
  // One that is older than the known one was filled elsewhere: nobody knows with what.
  const bool is_newer = seen_->made_ms > known_->made_ms;
  return ColdReplacement{is_newer ? std::optional(seen_->made_ms) : std::nullopt};
}

Result<bool> KnownColdStore::confirm() {
  const std::lock_guard writing(writing_);
  std::unique_lock lock(mutex_);
  if (!seen_ || seen_->id == known_->id) return false;
  const StoreIdentity confirmed = *seen_;
  lock.unlock();
  // On disk first: a confirmation that a restart forgets would be asked for again.
  if (auto written = write(confirmed); !written) return forward(written);
  lock.lock();
  service::log_warn("a person confirmed another cold store",
                    {{"id", confirmed.id}, {"instead_of", known_->id}});
  known_ = confirmed;
  is_due_ = false;
  return true;
}

}  // namespace vigia::router
