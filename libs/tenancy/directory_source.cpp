#include "libs/tenancy/directory_source.hpp"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <thread>

#include <fmt/format.h>

#include "libs/base/duration.hpp"
#include "libs/base/fault.hpp"
#include "libs/base/hex.hpp"
#include "libs/net/client.hpp"
#include "libs/net/status.hpp"
#include "libs/service/config.hpp"
#include "libs/service/doors.hpp"
#include "libs/service/log.hpp"
#include "libs/tenancy/directory_document.hpp"
#include "libs/tenancy/kept_directory.hpp"
#include "libs/tenancy/snapshot_doubt.hpp"

namespace vigia::tenancy {
namespace {

// A cache that cannot be written is tried again after a second, then less and less often.
constexpr Duration kCacheRetryMax = std::chrono::minutes(1);
// How often the cache's time of change is brought up to when it was last known to be true.
constexpr Duration kCacheTouchInterval = std::chrono::minutes(1);
// The monitor holds a request up to this long while nothing changes; ours waits a little longer.
constexpr std::chrono::seconds kLongPoll{20};
constexpr std::chrono::seconds kPollTimeout{30};

/// A document as it came, read and whole.
struct Received {
  Directory::ReadDocument snapshot;
  std::string body;
  std::string hash;
};

/// What the source and a request in flight share; the request may end after the source.
struct Fetch {
  std::mutex mutex;
  std::condition_variable changed;
  bool is_stopping = false;
  std::optional<Result<net::ClientResponse>> answer;
};

class RefreshingSource final : public DirectorySource {
 public:
  RefreshingSource(DirectorySettings settings, net::Client& client)
      : settings_(std::move(settings)),
        client_(client),
        cache_(settings_.cache_file),
        fetch_(std::make_shared<Fetch>()) {}

  ~RefreshingSource() override {
    {
      const std::lock_guard lock(fetch_->mutex);
      fetch_->is_stopping = true;
    }
    fetch_->changed.notify_all();
    if (thread_.joinable()) thread_.join();
  }

  Result<void> begin() {
    if (!settings_.file.empty()) {
      if (auto loaded = refresh_file(); !loaded) return forward(loaded);
    } else {
      // No wait for the monitor: a collector that starts beside it must take data at once.
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
  std::uint64_t cache_damages() const override { return cache_damages_.load(); }
  std::uint64_t left_out() const override { return left_out_.load(); }
  bool is_doubted() const override { return is_doubted_.load(); }
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
    std::unique_lock lock(fetch_->mutex);
    return fetch_->changed.wait_for(lock, duration, [this] { return fetch_->is_stopping; });
  }

  Result<void> refresh_file() {
    auto text = read_directory_file(settings_.file);
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
    auto loaded = cache_.load(clock_.wall_ms());
    cache_damages_ = loaded.problems.size();
    for (const std::string& problem : loaded.problems) {
      service::log_error(
          "a cached customer directory is damaged and not used; look at the disk, then delete it",
          {{"error", problem},
           {"renamed_to", "the same with .damaged"},
           {"instead", loaded.directory ? "the one before it" : "none until the monitor answers"}});
    }
    if (!loaded.directory) return;  // the first start has none
    const Duration age = loaded.directory->age;
    {
      const std::lock_guard lock(mutex_);
      current_ = loaded.directory->snapshot.directory;
      confirmed_ = clock_.steady() - age;
    }
    installed_ = std::move(loaded.directory->snapshot);
    service::log_warn(
        "customers and tokens are the cached ones until the monitor answers: what was revoked "
        "since is not known here",
        {{"cache_file", settings_.cache_file},
         {"seconds", fmt::format("{:.0f}", std::chrono::duration<double>(age).count())}});
  }

  Result<void> refresh_url() {
    auto answer = ask();
    if (!answer) return forward(answer);
    // Nothing new, which confirms what is in force; or, while the newest is doubted, says that the
    // monitor still means it.
    if (answer->status == 304) {
      if (doubted_) return look_at_doubted();
      confirm();
      touch_cache();
      return {};
    }
    if (auto error = net::error_from_http(answer->status, answer->headers, answer->body)) {
      return tl::unexpected<Error>(with_context(settings_.url, std::move(*error)));
    }
    auto taken = take(std::move(answer->body));
    if (!taken) return forward(taken);
    // Also of a document that is doubted: it is kept, and need not be sent again each second. Not
    // of one that could not be read: that is asked for until it can.
    etag_ = std::string(answer->headers.get("etag"));
    return {};
  }

  /// Puts the monitor's document in force, or keeps it aside where it is doubted.
  Result<void> take(std::string body) {
    // By content, not by ETag: a monitor that has restarted counts anew and may send what is known.
    std::string hash = sha256_hex(body);
    if (hash == installed_hash_) {
      end_doubt("the monitor is back at the directory in force");
      confirm();
      return {};
    }
    auto snapshot = read_document(body, settings_.url);
    if (!snapshot) return forward(snapshot);
    // Nothing in force, nothing to compare with: the first document is taken as it is.
    std::string why = installed_ ? doubt_of(*installed_, *snapshot) : "";
    Received received{*std::move(snapshot), std::move(body), std::move(hash)};
    if (!why.empty()) {
      doubt(std::move(received), why);
      return look_at_doubted();
    }
    end_doubt("the monitor's snapshot is sound again");
    put_in_force(std::move(received));
    return {};
  }

  void put_in_force(Received received) {
    install(received.snapshot.directory, std::move(received.hash));
    tell_left_out(received.snapshot);
    installed_ = std::move(received.snapshot);
    if (!settings_.cache_file.empty()) unwritten_ = std::move(received.body);
    cache_retry_ = Duration::zero();
    cache_try_at_ = clock_.steady();
    confirm();
  }

  void doubt(Received received, const std::string& why) {
    doubted_ = std::move(received);
    // A newer doubted document does not begin the wait anew, or an endless row of them would never
    // be decided.
    if (is_doubted_) return;
    is_doubted_ = true;
    doubted_since_ = clock_.steady();
    service::log_error(
        "the monitor's snapshot is doubted and not taken; the last directory stays in force, so "
        "that what was revoked since is not known here. Put the monitor's database right "
        "(vigia-monitor restore) or confirm it as it is (vigia-monitor accept)",
        {{"error", why},
         {"url", settings_.url},
         {"taken_anyway_after", format_duration(settings_.doubt_max)}});
  }

  /// A doubt that nobody decides ends by itself: for ever in the past is no better.
  Result<void> look_at_doubted() {
    if (clock_.steady() - doubted_since_ < settings_.doubt_max) return {};
    service::log_error("the doubted snapshot is taken now: nobody has decided in time",
                       {{"after", format_duration(settings_.doubt_max)}});
    auto received = std::move(*doubted_);
    doubted_.reset();
    is_doubted_ = false;
    put_in_force(std::move(received));
    return {};
  }

  void end_doubt(std::string_view why) {
    doubted_.reset();
    if (!is_doubted_.exchange(false)) return;
    service::log_info("the doubt about the monitor's snapshot is over",
                      {{"why", std::string(why)}});
  }

  void tell_left_out(const Directory::ReadDocument& snapshot) {
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
    const auto written = cache_.store(*unwritten_);
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
    cache_.touch();
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
      const std::lock_guard lock(fetch_->mutex);
      fetch_->answer.reset();
    }
    client_.send(std::move(request), [fetch = fetch_](Result<net::ClientResponse> answer) {
      {
        const std::lock_guard lock(fetch->mutex);
        fetch->answer = std::move(answer);
      }
      fetch->changed.notify_all();
    });
    std::unique_lock lock(fetch_->mutex);
    // The client ends each request within its time-out, so this ends too.
    fetch_->changed.wait(lock,
                         [this] { return fetch_->is_stopping || fetch_->answer.has_value(); });
    if (!fetch_->answer) return fail(ErrorCode::kUnavailable, "stopping");
    return std::move(*fetch_->answer);
  }

  DirectorySettings settings_;
  net::Client& client_;
  const KeptFile cache_;
  SystemClock clock_;
  std::shared_ptr<Fetch> fetch_;  // shared with the request in flight

  mutable std::mutex mutex_;
  std::shared_ptr<const Directory> current_;  // guarded by mutex_
  TimePoint confirmed_ = clock_.steady();     // guarded by mutex_
  std::atomic<std::uint64_t> failures_{0};
  std::atomic<std::uint64_t> cache_failures_{0};
  std::atomic<std::uint64_t> cache_damages_{0};
  std::atomic<std::uint64_t> left_out_{0};
  std::atomic<bool> is_doubted_{false};

  // The refreshing thread's own.
  std::string installed_hash_;
  std::optional<Directory::ReadDocument> installed_;  // of a url or its cache
  std::optional<Received> doubted_;                   // the newest that is kept out
  TimePoint doubted_since_;
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
  settings.file = service::read_readable_file(node.child("file"));
  settings.url = node.child("url").text();
  settings.token = node.child("token").text();
  settings.cache_file = node.child("cache_file").text();
  settings.refresh_interval = node.child("refresh_interval").duration(settings.refresh_interval);
  settings.max_stale = node.child("max_stale").duration(settings.max_stale);
  settings.doubt_max = node.child("doubt_max").duration(settings.doubt_max);
  if (settings.doubt_max < Duration::zero()) {
    node.child("doubt_max").note_error("must be a time, or 0 to doubt nothing");
  }
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
