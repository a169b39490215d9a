#include "libs/tenancy/directory_source.hpp"

#include <array>
#include <atomic>
#include <condition_variable>
#include <cstdio>
#include <fstream>
#include <mutex>
#include <optional>
#include <thread>

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include "libs/base/hex.hpp"
#include "libs/net/client.hpp"
#include "libs/net/status.hpp"
#include "libs/service/config.hpp"
#include "libs/service/log.hpp"

namespace vigia::tenancy {
namespace {

constexpr std::size_t kDirectoryBytesMax = 4U << 20U;
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

/// Writes beside and renames, so that a reader sees the old content or the new. Mode 0600: hashes
/// of tokens and names of customers are nobody else's business.
Result<void> write_file(const std::string& path, std::string_view text) {
  const std::string beside = path + ".new";
  const auto failed = [&path](std::string_view step) {
    return fail(ErrorCode::kUnavailable, fmt::format("{}: cannot be {}", path, step));
  };
  const int file = ::open(beside.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (file < 0) return failed("created");
  bool is_good = true;
  for (std::string_view rest = text; is_good && !rest.empty();) {
    const ssize_t written = ::write(file, rest.data(), rest.size());
    is_good = written > 0;
    if (is_good) rest.remove_prefix(static_cast<std::size_t>(written));
  }
  is_good = ::fsync(file) == 0 && is_good;
  is_good = ::close(file) == 0 && is_good;
  if (!is_good) return failed("written");
  if (std::rename(beside.c_str(), path.c_str()) != 0) return failed("renamed");
  return {};
}

/// What comes over the network names no environment variables of ours: "$$" is a plain dollar.
std::string without_references(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (const char c : text) {
    if (c == '$') out += '$';
    out += c;
  }
  return out;
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
    return current_;
  }
  std::uint64_t refresh_failures() const override { return failures_.load(); }
  double age_seconds() const override {
    const std::lock_guard lock(mutex_);
    return std::chrono::duration<double>(clock_.steady() - confirmed_).count();
  }

 private:
  void run() {
    while (!pause(settings_.refresh_interval)) {
      auto refreshed = settings_.file.empty() ? refresh_url() : refresh_file();
      if (refreshed) {
        last_complaint_.clear();
        continue;
      }
      ++failures_;
      // Said once for each kind of failure, not every second.
      if (refreshed.error().message != last_complaint_) {
        last_complaint_ = refreshed.error().message;
        service::log_warn("customer directory not refreshed, the last one stays in force",
                          {{"error", last_complaint_}});
      }
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
    return install(*text, *text, settings_.file);
  }

  /// Takes `text` as the directory; `original` tells whether anything changed.
  Result<void> install(std::string_view original, std::string_view text, const std::string& name) {
    std::string hash = sha256_hex(original);
    if (hash != installed_hash_) {
      auto directory = Directory::parse(text, name);
      if (!directory) return forward(directory);
      const std::lock_guard lock(mutex_);
      current_ = std::move(*directory);
      installed_hash_ = std::move(hash);
    }
    confirm();
    return {};
  }

  void confirm() {
    const std::lock_guard lock(mutex_);
    confirmed_ = clock_.steady();
  }

  void load_cache() {
    if (settings_.cache_file.empty()) return;
    auto text = read_file(settings_.cache_file);
    if (!text) return;  // the first start has none
    auto directory = Directory::parse(without_references(*text), settings_.cache_file);
    if (!directory) {
      service::log_warn("cached customer directory is damaged and not used",
                        {{"error", directory.error().message}});
      return;
    }
    const std::lock_guard lock(mutex_);
    current_ = std::move(*directory);
  }

  Result<void> refresh_url() {
    auto answer = ask();
    if (!answer) return forward(answer);
    if (answer->status == 304) {
      confirm();
      return {};
    }
    if (auto error = net::error_from_http(answer->status, answer->headers, answer->body)) {
      return tl::unexpected<Error>(with_context(settings_.url, std::move(*error)));
    }
    const bool is_new = sha256_hex(answer->body) != installed_hash_;
    auto installed = install(answer->body, without_references(answer->body), settings_.url);
    if (!installed) return installed;
    etag_ = std::string(answer->headers.get("etag"));
    if (!is_new || settings_.cache_file.empty()) return {};
    return write_file(settings_.cache_file, answer->body);
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

  // The refreshing thread's own.
  std::string installed_hash_;
  std::string etag_;
  std::string last_complaint_;
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
