// Looks at every store from time to time: whether it answers, and how its queries are bounded.
#pragma once

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "libs/base/clock.hpp"
#include "libs/disk_log/store_identity.hpp"
#include "libs/net/client.hpp"
#include "libs/promql/language.hpp"
#include "services/router/upstream/store_health.hpp"

namespace vigia::router::upstream {

/// What is watched.
struct WatchedStore {
  std::string name;        ///< as own metrics show it
  std::string url;         ///< without a path
  std::string look_path;   ///< what answers as long as the store lives, whatever it has to do
  bool has_flags = false;  ///< a Prometheus, which tells how it was started
  std::optional<net::TlsClientSettings> tls = {};
};

/// Every 2 seconds each store is looked at, by a connection of its own and beside the others; one
/// that gives no answer for 10 seconds is silent. A slow one that answers is not. Whether a
/// Prometheus bounds its queries is read when it is first seen, when it comes back, and every hour;
/// that it does not is logged and shown, and changes nothing. Thread contract: everything public
/// from any thread; one thread of its own, and that of its own client.
class StoreWatch {
 public:
  using Identity = std::optional<disk_log::StoreIdentity>;
  /// Told after each look, on the client's thread; it must not block. `identity`: what a long-term
  /// store has said in its answer of who it is.
  using Told =
      std::function<void(std::size_t index, const StoreHealth& health, const Identity& identity)>;

  struct Seen {
    StoreHealth::Condition condition = StoreHealth::Condition::kAnswers;
    std::optional<std::uint64_t> samples_max;  ///< nothing where it is not known
    bool is_unbounded = false;  ///< it may hold more for one query than it should, or hides it
    /// That it takes; nothing where it is no Prometheus, or has not said its version.
    std::optional<promql::Language> language;
    std::string version;  ///< "" where `language` is not there
    std::string lacks;    ///< what it says that is missing for now (kIncompleteHeader)
  };

  /// Looks until destroyed; the clock must outlive it.
  StoreWatch(std::vector<WatchedStore> stores, Told told, const Clock& clock);
  ~StoreWatch();
  StoreWatch(const StoreWatch&) = delete;
  StoreWatch& operator=(const StoreWatch&) = delete;

  const std::vector<WatchedStore>& stores() const { return stores_; }
  /// As it was when it was last looked at.
  Seen seen(std::size_t index) const;

 private:
  struct State {
    StoreHealth health;
    bool is_looking = false;
    std::optional<TimePoint> flags_at;  // when they were last read
    std::optional<std::uint64_t> samples_max;
    bool is_unbounded = false;
    std::optional<std::string> features;  // as its --enable-feature says
    std::string version;
    std::string lacks;
  };

  void run();
  void look(std::size_t index);
  void take(std::size_t index, const Result<net::ClientResponse>& response);
  void ask_flags(std::size_t index);
  void take_flags(std::size_t index, Result<net::ClientResponse> response);
  void ask_version(std::size_t index);
  void take_version(std::size_t index, Result<net::ClientResponse> response);
  net::ClientRequest request(std::size_t index, const std::string& path) const;

  const std::vector<WatchedStore> stores_;
  const Told told_;
  const Clock& clock_;
  mutable std::mutex mutex_;
  std::condition_variable stopping_;
  bool is_stopping_ = false;
  std::vector<State> states_;
  std::unique_ptr<net::Client> client_;
  std::thread thread_;
};

}  // namespace vigia::router::upstream
