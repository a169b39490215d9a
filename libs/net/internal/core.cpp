#include "libs/net/internal/core.hpp"

#include <sys/eventfd.h>
#include <unistd.h>

#include "libs/base/check.hpp"
#include "libs/net/compression.hpp"

namespace vigia::net::internal {

namespace {

// Smaller answers do not become fewer packets.
constexpr std::size_t kGzipBytesMin = 1024;
// Larger ones would keep the answering thread for longer than the network needs for them.
constexpr std::size_t kGzipBytesMax = 16U << 20U;

bool is_worth_gzip(const Response& response) {
  const std::string_view type = response.headers.get("content-type");
  const bool is_text = type.starts_with("text/") || type.starts_with("application/json") ||
                       type.starts_with("application/openmetrics-text") ||
                       type.starts_with("application/javascript");
  return is_text && !response.stream && response.status == 200 &&
         response.body.size() >= kGzipBytesMin && response.body.size() <= kGzipBytesMax &&
         response.headers.count("content-encoding") == 0;
}

}  // namespace

Mailbox::Mailbox() : event_(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) { CHECK(event_.is_open()); }

void MailboxTarget::answer(Response response) {
  // Here, on the thread that answers, rather than on the loop that all connections share.
  if (takes_gzip_ && is_worth_gzip(response)) {
    if (Result<std::string> packed = compress("gzip", response.body)) {
      response.body = std::move(*packed);
      response.headers.add("content-encoding", "gzip");
      response.headers.add("vary", "accept-encoding");
    }
  }
  if (response.held && !response.stream) {
    // A stream is asked for more, and let go, only when what was before it is on its way.
    response.stream = [held = std::move(response.held)]() -> Result<std::string> { return ""; };
  }
  mailbox_->post(Mailbox::Answer{connection_, id_, std::move(response)});
}

void MailboxTarget::on_gone(std::function<void()> told) {
  mailbox_->post(Mailbox::Watch{connection_, id_, std::move(told)});
}

template <typename T>
void Mailbox::post_to(std::vector<T> Content::* list, T item) {
  const std::lock_guard lock(mutex_);
  if (is_closed_) return;
  const bool was_empty = content_.is_empty();
  (content_.*list).push_back(std::move(item));
  if (was_empty) wake_unless_owner();
}

void Mailbox::post(Watch watch) { post_to(&Content::watches, std::move(watch)); }
void Mailbox::post(Answer answer) { post_to(&Content::answers, std::move(answer)); }
void Mailbox::post(std::function<void()> task) { post_to(&Content::tasks, std::move(task)); }

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
