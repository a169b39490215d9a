#include "libs/net/internal/core.hpp"

#include <sys/eventfd.h>
#include <unistd.h>

#include "libs/base/check.hpp"

namespace vigia::net::internal {

Mailbox::Mailbox() : event_(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) { CHECK(event_.is_open()); }

void Mailbox::post(Answer answer) {
  const std::lock_guard lock(mutex_);
  if (is_closed_) return;
  const bool was_empty = content_.is_empty();
  content_.answers.push_back(std::move(answer));
  if (was_empty) wake_unless_owner();
}

void Mailbox::post(std::function<void()> task) {
  const std::lock_guard lock(mutex_);
  if (is_closed_) return;
  const bool was_empty = content_.is_empty();
  content_.tasks.push_back(std::move(task));
  if (was_empty) wake_unless_owner();
}

Mailbox::Content Mailbox::take() {
  const std::lock_guard lock(mutex_);
  return std::exchange(content_, {});
}

void Mailbox::clear_event() const {
  std::uint64_t count = 0;
  // The count has no meaning; a failed read only means that nothing was there.
  static_cast<void>(!read(event_.get(), &count, sizeof count));
}

void Mailbox::close() {
  const std::lock_guard lock(mutex_);
  is_closed_ = true;
  content_ = {};
}

void Mailbox::wake() {
  const std::uint64_t one = 1;
  static_cast<void>(!write(event_.get(), &one, sizeof one));
}

void Mailbox::wake_unless_owner() {
  // The loop takes the mailbox's content before it waits again, so its own posts need no event.
  if (owner_.load() != std::this_thread::get_id()) wake();
}

void Mailbox::wake_if_waiting() {
  const std::lock_guard lock(mutex_);
  if (!content_.is_empty()) wake();
}

}  // namespace vigia::net::internal
