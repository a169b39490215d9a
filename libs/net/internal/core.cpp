#include "libs/net/internal/core.hpp"

#include <malloc.h>
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
// Answers of less leave nothing behind that would be missed.
constexpr std::uint64_t kReturnedBytesMin = 16U << 20U;
// It holds up whoever allocates, for some milliseconds.
constexpr Duration kReturnInterval = std::chrono::seconds(5);

bool is_worth_gzip(const Response& response) {
  const std::string_view type = response.headers.get("content-type");
  const bool is_text = type.starts_with("text/") || type.starts_with("application/json") ||
                       type.starts_with("application/openmetrics-text") ||
                       type.starts_with("application/javascript");
  return is_text && !response.stream && response.status == 200 &&
         response.content().size() >= kGzipBytesMin && response.content().size() <= kGzipBytesMax &&
         response.headers.count("content-encoding") == 0;
}

}  // namespace

Error answers_unread() {
  return {ErrorCode::kUnavailable, "too much of earlier answers is not read yet; read on, then ask",
          std::chrono::seconds(1)};
}

void ServerCore::return_freed_memory(TimePoint now) {
  const std::unique_lock lock(return_mutex, std::try_to_lock);
  if (!lock.owns_lock()) return;  // another loop looks
  const std::uint64_t held = budgets->answers.total();
  answer_bytes_peak = std::max(answer_bytes_peak, held);
  const bool has_fallen = answer_bytes_peak >= kReturnedBytesMin && held <= answer_bytes_peak / 2;
  if (!has_fallen || now - returned < kReturnInterval) return;
  answer_bytes_peak = held;
  returned = now;
  // Answers below the size that the heap maps alone lie between others, and it keeps their pages.
  malloc_trim(0);
}

Mailbox::Mailbox() : event_(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) { CHECK(event_.is_open()); }

void MailboxTarget::answer(Response response) {
  if (takes_gzip_ && response.gzip_stream && response.body.empty()) {
    response.stream = std::move(response.gzip_stream);
    response.headers.add("content-encoding", "gzip");
    response.headers.add("vary", "accept-encoding");
  }
  response.gzip_stream = nullptr;
  // Here, on the thread that answers, rather than on the loop that all connections share.
  if (takes_gzip_ && is_worth_gzip(response)) {
    if (Result<std::string> packed = compress("gzip", response.content())) {
      response.shared_body = nullptr;
      response.body = std::move(*packed);
      response.headers.add("content-encoding", "gzip");
      response.headers.add("vary", "accept-encoding");
    }
  }
  mailbox_->post(Mailbox::PostedAnswer{connection_, id_, std::move(response)});
}

void MailboxTarget::on_gone(Task<void()> told) {
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

void Mailbox::post(Resumed resumed) { post_to(&Content::resumed, std::move(resumed)); }
void Mailbox::post(Watch watch) { post_to(&Content::watches, std::move(watch)); }
void Mailbox::post(PostedAnswer answer) { post_to(&Content::answers, std::move(answer)); }
void Mailbox::post(Task<void()> task) { post_to(&Content::tasks, std::move(task)); }

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
