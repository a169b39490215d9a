#include "services/router/upstream/store_watch.hpp"

#include <utility>

#include <fmt/format.h>

#include "libs/base/fault.hpp"
#include "libs/service/log.hpp"
#include "libs/wire/prometheus_api/envelope.hpp"
#include "services/router/json/lists.hpp"

namespace vigia::router::upstream {
namespace {

// Whoever asks a silent store waits for it: so it is found out within a dozen seconds, by one small
// request each time.
constexpr std::chrono::seconds kLookInterval{2};
constexpr std::chrono::seconds kSilentAfter{10};
constexpr std::chrono::hours kFlagsInterval{1};
constexpr std::size_t kAnswerBytesMax = 256U << 10U;

std::string_view to_text(StoreHealth::Condition condition) {
  switch (condition) {
    case StoreHealth::Condition::kAnswers:
      return "answers";
    case StoreHealth::Condition::kSilent:
      return "takes connections, if any, and does not answer";
    case StoreHealth::Condition::kRefuses:
      return "cannot be reached";
  }
  return "";
}

}  // namespace

StoreWatch::StoreWatch(std::vector<WatchedStore> stores, Told told, const Clock& clock)
    : stores_(std::move(stores)),
      told_(std::move(told)),
      clock_(clock),
      states_(stores_.size()),
      client_(net::Client::create({})) {
  thread_ = std::thread([this] { run(); });
}

StoreWatch::~StoreWatch() {
  {
    const std::lock_guard lock(mutex_);
    is_stopping_ = true;
  }
  stopping_.notify_all();
  thread_.join();
  client_->close();
}

StoreWatch::Seen StoreWatch::seen(std::size_t index) const {
  const std::lock_guard lock(mutex_);
  const State& state = states_[index];
  return {state.health.condition(),
          state.samples_max,
          state.is_unbounded,
          promql::language_of(state.version, state.features),
          state.version,
          state.lacks};
}

void StoreWatch::run() {
  std::unique_lock lock(mutex_);
  while (!is_stopping_) {
    lock.unlock();
    for (std::size_t i = 0; i < stores_.size(); ++i) {
      // A look that threw has no answer that would end it, and the store would never be looked at
      // again.
      if (contain_faults("looking at a store", [&] { look(i); })) continue;
      const std::lock_guard fallen(mutex_);
      states_[i].is_looking = false;
    }
    lock.lock();
    stopping_.wait_for(lock, kLookInterval, [this] { return is_stopping_; });
  }
}

net::ClientRequest StoreWatch::request(std::size_t index, const std::string& path) const {
  net::ClientRequest request;
  request.url = stores_[index].url + path;
  request.tls = stores_[index].tls;
  // A connection that was kept may have gone without a word, and its store be well.
  request.headers.add("connection", "close");
  request.timeout = kSilentAfter;
  request.response_bytes_max = kAnswerBytesMax;
  return request;
}

void StoreWatch::look(std::size_t index) {
  {
    const std::lock_guard lock(mutex_);
    // One look at a time: a silent store would collect one more every two seconds.
    if (std::exchange(states_[index].is_looking, true)) return;
  }
  client_->send(
      request(index, stores_[index].look_path),
      [this, index](const Result<net::ClientResponse>& response) { take(index, response); });
}

void StoreWatch::take(std::size_t index, const Result<net::ClientResponse>& response) {
  StoreHealth health;
  bool has_changed = false;
  bool are_flags_due = false;
  {
    const std::lock_guard lock(mutex_);
    if (is_stopping_) return;
    State& state = states_[index];
    state.is_looking = false;
    const auto before = state.health.condition();
    state.health.note(response ? Result<void>() : tl::unexpected<Error>(response.error()));
    if (response) state.lacks = response->headers.get(kIncompleteHeader);
    // Copied, so that it is told without the lock: told_ takes locks of its own.
    health = state.health;
    has_changed = before != health.condition();
    if (health.condition() != StoreHealth::Condition::kAnswers) {
      state.flags_at.reset();  // it may come back otherwise
    } else if (stores_[index].has_flags) {
      const TimePoint now = clock_.steady();
      are_flags_due = !state.flags_at || now - *state.flags_at > kFlagsInterval;
      if (are_flags_due) state.flags_at = now;
    }
  }
  if (has_changed) {
    service::log_warn("a store's state has changed",
                      {{"store", stores_[index].name},
                       {"state", std::string(to_text(health.condition()))},
                       {"detail", response ? "" : response.error().message}});
  }
  told_(index, health,
        response ? disk_log::parse_store_identity(response->headers.get(disk_log::kStoreHeader))
                 : std::nullopt);
  if (!are_flags_due) return;
  ask_flags(index);
  ask_version(index);
}

void StoreWatch::ask_flags(std::size_t index) {
  client_->send(request(index, "/api/v1/status/flags"),
                [this, index](Result<net::ClientResponse> response) {
                  take_flags(index, std::move(response));
                });
}

void StoreWatch::take_flags(std::size_t index, Result<net::ClientResponse> response) {
  std::optional<std::uint64_t> samples_max;
  std::optional<std::string> features;
  if (response && response->status == 200) {
    const auto envelope = wire::prometheus_api::Envelope::read(std::move(response->body));
    if (envelope && envelope->is_success()) {
      samples_max = query_samples_max(envelope->data());
      features = enabled_features(envelope->data());
    }
  }
  {
    const std::lock_guard lock(mutex_);
    if (is_stopping_) return;
    State& state = states_[index];
    // A store that hides its flags counts as unbounded; one that was not reached says nothing of
    // them.
    if (!response) {
      state.flags_at.reset();  // nothing is known: at the next look
      return;
    }
    state.samples_max = samples_max;
    state.features = std::move(features);
    state.is_unbounded = !samples_max || *samples_max > kQuerySamplesMax;
    if (!state.is_unbounded) return;
  }
  service::log_warn(
      "one query may hold too much of a store that all customers share: start it with "
      "--query.max-samples=5000000 (docs/deployment.md)",
      {{"store", stores_[index].name},
       {"query.max-samples", samples_max ? std::to_string(*samples_max) : "unknown"}});
}

void StoreWatch::ask_version(std::size_t index) {
  client_->send(request(index, "/api/v1/status/buildinfo"),
                [this, index](Result<net::ClientResponse> response) {
                  take_version(index, std::move(response));
                });
}

/// What was known stays where a store does not say.
void StoreWatch::take_version(std::size_t index, Result<net::ClientResponse> response) {
  if (!response || response->status != 200) return;
  const auto envelope = wire::prometheus_api::Envelope::read(std::move(response->body));
  if (!envelope || !envelope->is_success()) return;
  std::string version = json::read_text_of(envelope->data(), "version");
  const std::lock_guard lock(mutex_);
  if (!is_stopping_) states_[index].version = std::move(version);
}

}  // namespace vigia::router::upstream
