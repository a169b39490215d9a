#include "libs/tenancy/directory_source.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <condition_variable>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <mutex>
#include <optional>
#include <thread>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include "libs/base/duration.hpp"
#include "libs/base/fault.hpp"
#include "libs/base/hex.hpp"
#include "libs/net/client.hpp"
#include "libs/net/status.hpp"
#include "libs/service/config.hpp"
#include "libs/service/log.hpp"

namespace vigia::tenancy {
namespace {

// 10,000 customers with 100 tokens each are 105 MB. Read in 1 s, they take 0.1 GB, and three times
// as much while they are read.
constexpr std::size_t kDirectoryBytesMax = 128U << 20U;
// A cache that cannot be written is tried again after a second, then less and less often.
constexpr Duration kCacheRetryMax = std::chrono::minutes(1);
// How often the cache's time of change is brought up to when it was last known to be true.
constexpr Duration kCacheTouchInterval = std::chrono::minutes(1);
// The monitor holds a request up to this long while nothing changes; ours waits a little longer.
constexpr std::chrono::seconds kLongPoll{20};
constexpr std::chrono::seconds kPollTimeout{30};

Result<std::string> read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return fail(ErrorCode::kNotFound, fmt::format("{}: cannot be opened", path));
  std::string text;
  std::array<char, 16U << 10U> room{};
  while (file && text.size() <= kDirectoryBytesMax) {
    file.read(room.data(), room.size());
    text.append(room.data(), static_cast<std::size_t>(file.gcount()));
  }
  if (file.bad()) return fail(ErrorCode::kUnavailable, fmt::format("{}: cannot be read", path));
  if (text.size() > kDirectoryBytesMax) {
    return fail(ErrorCode::kInvalid,
                fmt::format("{}: larger than {} bytes", path, kDirectoryBytesMax));
  }
  return text;
}

/// The folder's own entry, without which a rename may not outlive a power cut.
bool sync_folder(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  const std::string folder = slash == std::string::npos ? "." : path.substr(0, slash + 1);
  const int file = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (file < 0) return false;
  const bool is_good = ::fsync(file) == 0;
  ::close(file);
  return is_good;
}

/// Writes beside and renames, so that a reader sees the old content or the new. Mode 0600: hashes
/// of tokens and names of customers are nobody else's business.
Result<void> write_file(const std::string& path, std::string_view text) {
  const std::string beside = path + ".new";
  const auto failed = [&path](std::string_view step) {
    return fail(ErrorCode::kUnavailable,
                fmt::format("{}: cannot be {}: {}", path, step, std::strerror(errno)));
  };
  const int file = ::open(beside.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (file < 0) return failed("created");
  bool is_good = true;
  for (std::string_view rest = text; is_good && !rest.empty();) {
    const ssize_t written = ::write(file, rest.data(), rest.size());
    is_good = written > 0;
    if (is_good) rest.remove_prefix(static_cast<std::size_t>(written));
  }
  is_good = is_good && ::fsync(file) == 0;
  is_good = ::close(file) == 0 && is_good;
  if (!is_good) return failed("written");
  if (std::rename(beside.c_str(), path.c_str()) != 0) return failed("renamed");
  if (!sync_folder(path)) return failed("made durable");
  return {};
}

/// How long ago the file was written; nothing where that cannot be told.
Duration age_of(const std::string& path, std::int64_t now_ms) {
  struct stat status{};
  if (::stat(path.c_str(), &status) != 0) return Duration::zero();
  const auto then = std::chrono::seconds(status.st_mtim.tv_sec);
  return std::max<Duration>(std::chrono::milliseconds(now_ms) - then, Duration::zero());
}

/// What the source and a request in flight share; the request may end after the source.
struct Exchange {
  std::mutex mutex;
  std::condition_variable changed;
  bool is_stopping = false;
  std::optional<Result<net::ClientResponse>> answer;
};

class RefreshingSource final : public DirectorySource {
 public:
  RefreshingSource(DirectorySettings settings, net::Client& client)
      : settings_(std::move(settings)), client_(client), exchange_(std::make_shared<Exchange>()) {}

  ~RefreshingSource() override {
    {
      const std::lock_guard lock(exchange_->mutex);
      exchange_->is_stopping = true;
    }
    exchange_->changed.notify_all();
    if (thread_.joinable()) thread_.join();
  }

  Result<void> begin() {
    if (!settings_.file.empty()) {
      if (auto loaded = refresh_file(); !loaded) return forward(loaded);
    } else {
      load_cache();
    }
    thread_ = std::thread([this] { run(); });
    return {};
  }

  std::shared_ptr<const Directory> current() const override {
    const std::lock_guard lock(mutex_);
    const bool is_over = settings_.max_stale > Duration::zero() &&
                         clock_.steady() - confirmed_ > settings_.max_stale;
    return is_over ? nullptr : current_;
  }
  std::uint64_t refresh_failures() const override { return failures_.load(); }
  std::uint64_t cache_failures() const override { return cache_failures_.load(); }
  std::uint64_t left_out() const override { return left_out_.load(); }
  double age_seconds() const override {
    const std::lock_guard lock(mutex_);
    return std::chrono::duration<double>(clock_.steady() - confirmed_).count();
  }

 private:
  void run() {
    while (!pause(settings_.refresh_interval)) {
      contain_faults("a refresh of the customer directory", [this] { turn(); });
    }
  }

  void turn() {
    auto refreshed = settings_.file.empty() ? refresh_url() : refresh_file();
    keep_cache();
    tell_age();
    if (refreshed) {
      last_complaint_.clear();
      return;
    }
    ++failures_;
    // Said once for each kind of failure, not every second.
    if (refreshed.error().message == last_complaint_) return;
    last_complaint_ = refreshed.error().message;
    service::log_warn("customer directory not refreshed, the last one stays in force",
                      {{"error", last_complaint_}});
  }

  void tell_age() {
    if (is_stale() == is_told_stale_) return;
    is_told_stale_ = !is_told_stale_;
    if (is_told_stale_) {
      service::log_error(
          "customers and tokens have not been refreshed for long: what was revoked since is not "
          "known here",
          {{"seconds", fmt::format("{:.0f}", age_seconds())},
           {"max_stale", settings_.max_stale > Duration::zero()
                             ? format_duration(settings_.max_stale)
                             : "never"}});
    } else {
      service::log_info("customers and tokens are fresh again");
    }
  }

  /// Waits; true where the source is to end.
  bool pause(Duration duration) {
    std::unique_lock lock(exchange_->mutex);
    return exchange_->changed.wait_for(lock, duration, [this] { return exchange_->is_stopping; });
  }

  Result<void> refresh_file() {
    auto text = read_file(settings_.file);
    if (!text) return forward(text);
    std::string hash = sha256_hex(*text);
    if (hash != installed_hash_) {
      auto directory = Directory::parse(*text, settings_.file);
      if (!directory) return forward(directory);
      install(*std::move(directory), std::move(hash));
    }
    confirm();
    return {};
  }

  void install(std::shared_ptr<const Directory> directory, std::string hash) {
    const std::lock_guard lock(mutex_);
    current_ = std::move(directory);
    installed_hash_ = std::move(hash);
  }

  void confirm() {
    const std::lock_guard lock(mutex_);
    confirmed_ = clock_.steady();
  }

  void load_cache() {
    if (settings_.cache_file.empty()) return;
    auto text = read_file(settings_.cache_file);
    if (!text) return;  // the first start has none
    auto snapshot = Directory::parse_snapshot(*text, settings_.cache_file);
    if (!snapshot) {
      service::log_warn("cached customer directory is damaged and not used",
                        {{"error", snapshot.error().message}});
      return;
    }
    const Duration age = age_of(settings_.cache_file, clock_.wall_ms());
    {
      const std::lock_guard lock(mutex_);
      current_ = std::move(snapshot->directory);
      confirmed_ = clock_.steady() - age;
    }
    service::log_warn(
        "customers and tokens are the cached ones until the monitor answers: what was revoked "
        "since is not known here",
        {{"cache_file", settings_.cache_file},
         {"seconds", fmt::format("{:.0f}", std::chrono::duration<double>(age).count())}});
  }

  Result<void> refresh_url() {
    auto answer = ask();
    if (!answer) return forward(answer);
    if (answer->status == 304) {
      confirm();
      touch_cache();
      return {};
    }
    if (auto error = net::error_from_http(answer->status, answer->headers, answer->body)) {
      return tl::unexpected<Error>(with_context(settings_.url, std::move(*error)));
    }
    std::string hash = sha256_hex(answer->body);
    if (hash != installed_hash_) {
      auto snapshot = Directory::parse_snapshot(answer->body, settings_.url);
      if (!snapshot) return forward(snapshot);
      install(std::move(snapshot->directory), std::move(hash));
      tell_left_out(*snapshot);
      if (!settings_.cache_file.empty()) unwritten_ = std::move(answer->body);
      cache_retry_ = Duration::zero();
      cache_try_at_ = clock_.steady();
    }
    confirm();
    etag_ = std::string(answer->headers.get("etag"));
    return {};
  }

  void tell_left_out(const Directory::Snapshot& snapshot) {
    left_out_ = snapshot.left_out;
    if (snapshot.left_out == 0) return;
    service::log_error(
        "the monitor's snapshot holds entries that are left out",
        {{"entries", std::to_string(snapshot.left_out)}, {"first", snapshot.first_problem}});
  }

  /// Writes what the cache lacks; what fails is tried again until it is done, since an older cache
  /// knows tokens that are revoked by now.
  void keep_cache() {
    if (!unwritten_ || clock_.steady() < cache_try_at_) return;
    const auto written = write_file(settings_.cache_file, *unwritten_);
    if (written) {
      if (cache_retry_ > Duration::zero()) service::log_info("the directory's cache is written");
      unwritten_.reset();
      touched_ = clock_.steady();
      return;
    }
    ++cache_failures_;
    if (cache_retry_ == Duration::zero()) {
      service::log_error(
          "the directory's cache is not written, and tried again: a restart without the monitor "
          "would go by an older one",
          {{"error", written.error().message}});
    }
    cache_retry_ = std::clamp<Duration>(cache_retry_ * 2, std::chrono::seconds(1), kCacheRetryMax);
    cache_try_at_ = clock_.steady() + cache_retry_;
  }

  /// So that a restart can tell how old the cache is, not how long nothing has changed.
  void touch_cache() {
    const bool is_due = clock_.steady() - touched_ >= kCacheTouchInterval;
    if (settings_.cache_file.empty() || unwritten_ || !is_due) return;
    touched_ = clock_.steady();
    ::utimensat(AT_FDCWD, settings_.cache_file.c_str(), nullptr, 0);
  }

  Result<net::ClientResponse> ask() {
    net::ClientRequest request;
    request.url = settings_.url;
    request.timeout = kPollTimeout;
    request.response_bytes_max = kDirectoryBytesMax;
    request.headers.add("authorization", "Bearer " + settings_.token);
    if (!etag_.empty()) {
      request.headers.add("if-none-match", etag_);
      request.headers.add("prefer", fmt::format("wait={}", kLongPoll.count()));
    }
    {
      const std::lock_guard lock(exchange_->mutex);
      exchange_->answer.reset();
    }
    client_.send(std::move(request), [exchange = exchange_](Result<net::ClientResponse> answer) {
      {
        const std::lock_guard lock(exchange->mutex);
        exchange->answer = std::move(answer);
      }
      exchange->changed.notify_all();
    });
    std::unique_lock lock(exchange_->mutex);
    exchange_->changed.wait(
        lock, [this] { return exchange_->is_stopping || exchange_->answer.has_value(); });
    if (!exchange_->answer) return fail(ErrorCode::kUnavailable, "stopping");
    return std::move(*exchange_->answer);
  }

  DirectorySettings settings_;
  net::Client& client_;
  SystemClock clock_;
  std::shared_ptr<Exchange> exchange_;  // shared with the request in flight

  mutable std::mutex mutex_;
  std::shared_ptr<const Directory> current_;  // guarded by mutex_
  TimePoint confirmed_ = clock_.steady();     // guarded by mutex_
  std::atomic<std::uint64_t> failures_{0};
  std::atomic<std::uint64_t> cache_failures_{0};
  std::atomic<std::uint64_t> left_out_{0};

  // The refreshing thread's own.
  std::string installed_hash_;
  std::string etag_;
  std::string last_complaint_;
  bool is_told_stale_ = false;
  std::optional<std::string> unwritten_;  // what the cache lacks
  Duration cache_retry_{0};
  TimePoint cache_try_at_;
  TimePoint touched_;
  std::thread thread_;
};

}  // namespace

DirectorySettings read_directory_settings(const service::ConfigNode& node) {
  DirectorySettings settings;
  settings.file = node.child("file").text();
  settings.url = node.child("url").text();
  settings.token = node.child("token").text();
  settings.cache_file = node.child("cache_file").text();
  settings.refresh_interval = node.child("refresh_interval").duration(settings.refresh_interval);
  settings.max_stale = node.child("max_stale").duration(settings.max_stale);
  if (settings.max_stale < Duration::zero()) {
    node.child("max_stale").note_error("must be a time, or 0 for never");
  }
  if (settings.file.empty() == settings.url.empty()) {
    node.note_error("give either file or url");
  }
  if (settings.refresh_interval < std::chrono::milliseconds(10) ||
      settings.refresh_interval > std::chrono::seconds(5)) {
    node.child("refresh_interval").note_error("must be from 10ms to 5s");
  }
  return settings;
}

Result<std::unique_ptr<DirectorySource>> DirectorySource::start(DirectorySettings settings,
                                                                net::Client& client) {
  auto source = std::make_unique<RefreshingSource>(std::move(settings), client);
  if (auto begun = source->begin(); !begun) {
    return tl::unexpected<Error>(Error{ErrorCode::kInvalid, begun.error().message, std::nullopt});
  }
  return source;
}

}  // namespace vigia::tenancy
