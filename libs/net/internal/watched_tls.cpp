#include "libs/net/internal/watched_tls.hpp"

#include <utility>

#include <sys/stat.h>

#include "libs/base/fault.hpp"

namespace vigia::net::internal {
namespace {

constexpr int kLooksUntilAgain = 60;

std::int64_t ns_of(const timespec& time) {
  constexpr std::int64_t kNsPerSecond = 1'000'000'000;
  return std::int64_t{time.tv_sec} * kNsPerSecond + time.tv_nsec;
}

}  // namespace

Result<std::unique_ptr<WatchedTls>> WatchedTls::open(const TlsServerSettings& settings, Told told) {
  auto files = std::make_unique<WatchedTls>(Key{}, settings, std::move(told));
  // Before they are read: what is replaced meanwhile is another one at the first look.
  files->loaded_ = files->marks();
  files->seen_ = files->loaded_;
  auto context = TlsContext::create(settings);
  if (!context) return forward(context);
  files->current_ = *std::move(context);
  if (files->told_) files->told_(files->current_->expires_s());
  files->thread_ = std::thread([own = files.get()] { own->run(); });
  return files;
}

WatchedTls::~WatchedTls() {
  {
    const std::lock_guard lock(mutex_);
    is_stopping_ = true;
    wake_.notify_one();
  }
  if (thread_.joinable()) thread_.join();
}

std::shared_ptr<const TlsContext> WatchedTls::current() const {
  const std::lock_guard lock(mutex_);
  return current_;
}

WatchedTls::FileMark WatchedTls::mark_of(const std::string& file) {
  struct stat about{};
  if (file.empty() || stat(file.c_str(), &about) != 0) return {};
  return {static_cast<std::int64_t>(about.st_dev), static_cast<std::int64_t>(about.st_ino),
          static_cast<std::int64_t>(about.st_size), ns_of(about.st_mtim), ns_of(about.st_ctim)};
}

WatchedTls::Marks WatchedTls::marks() const {
  return {mark_of(settings_.cert_file), mark_of(settings_.key_file),
          settings_.watches_client_ca ? mark_of(settings_.client_ca_file) : FileMark{}};
}

void WatchedTls::run() {
  std::unique_lock lock(mutex_);
  while (!wake_.wait_for(lock, settings_.look_interval, [this] { return is_stopping_; })) {
    lock.unlock();
    contain_faults("looking at the files of TLS", [this] { look(); });
    lock.lock();
  }
}

void WatchedTls::look() {
  const Marks now = marks();
  const bool is_settled = now == std::exchange(seen_, now);
  const bool is_again = failed_looks_ > 0 && ++failed_looks_ > kLooksUntilAgain;
  if (is_settled && (now != loaded_ || is_again)) load_again(now);
}

// What is tried in vain is tried again once one of the files is another, and now and then: what was
// missing may have been a file descriptor.
void WatchedTls::load_again(const Marks& now) {
  auto context = TlsContext::create(settings_);
  if (marks() != now) return;  // perhaps of both: the next looks see it
  loaded_ = now;
  failed_looks_ = context ? 0 : 1;
  if (!context) {
    if (told_) told_(tl::unexpected<Error>(context.error()));
    return;
  }
  const std::int64_t expires_s = (*context)->expires_s();
  {
    const std::lock_guard lock(mutex_);
    current_ = *std::move(context);
  }
  if (told_) told_(expires_s);
}

}  // namespace vigia::net::internal
