// One request on its way through the router: counted, timed, answered once.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "libs/base/clock.hpp"
#include "libs/net/routes.hpp"
#include "libs/net/server.hpp"
#include "libs/service/metrics.hpp"
#include "services/router/access/caller.hpp"
#include "services/router/access/in_flight.hpp"
#include "services/router/access/interest.hpp"
#include "services/router/request/parameters.hpp"
#include "services/router/request/slow_queries.hpp"

namespace vigia::router::request {

/// Movable; `send` and `fail` end it. Where the client has left, its end is 499 whatever is sent,
/// as with Prometheus. Any thread, one at a time.
class Exchange {
 public:
  /// What a route has that all its exchanges share.
  struct Route {
    std::string name;  ///< a label of own metrics: the pattern, never the path that was sent
    net::ErrorForm error_form;
    bool takes_message = false;  ///< a body that is no form, and goes to the handler as it came
  };
  Exchange(net::Responder responder, Route route, service::MetricRegistry& metrics,
           const Clock& clock);
  /// Keeps the customer's place until the exchange is over.
  void hold(access::InFlight::Place place) { place_.emplace(std::move(place)); }
  /// What this caller's requests may take: an answer that is larger is refused, and so is what took
  /// longer.
  void bound(const access::QueryLimits& limits) { limits_ = limits; }
  /// It is told to `slow`, which must outlive it, where it takes long.
  void tell_if_slow(SlowQueries& slow, AskedQuery asked) {
    slow_ = &slow;
    asked_ = std::move(asked);
  }
  /// That its query held of a store.
  void note_samples(std::optional<std::uint64_t> samples) { samples_ = samples; }
  /// The client's; lost when it leaves.
  const std::shared_ptr<access::Interest>& interest() const { return interest_; }
  Exchange(Exchange&&) noexcept = default;
  Exchange& operator=(Exchange&&) noexcept = delete;

  void send(net::Response response);
  /// Of access::over_limit: 422, and counted. So is kDeadline where the caller's own time is over.
  void fail(const Error& error);
  /// What is said then; nothing where it has taken less, or may take as long as anybody's.
  std::optional<Error> over_time() const;

 private:
  void hold_answer(net::Response& response);
  void tell_end(const net::Response& response);
  net::Response error_response(const Error& error) const;
  net::Response nobody_waits() const;

  net::Responder responder_;
  Route route_;
  service::MetricRegistry* metrics_;
  const Clock* clock_;
  TimePoint began_;
  std::shared_ptr<access::Interest> interest_ = std::make_shared<access::Interest>();
  std::optional<access::InFlight::Place> place_;
  access::QueryLimits limits_;
  SlowQueries* slow_ = nullptr;
  AskedQuery asked_;
  std::optional<std::uint64_t> samples_;
};

/// What a handler of the API gets: the caller is known, the parameters are read.
struct ApiRequest {
  access::Caller caller;
  request::Parameters parameters;
  std::map<std::string, std::string, std::less<>> path_values;
  std::shared_ptr<access::Interest> interest;  ///< in the answer
  /// The one thing that a header says beside who asks: Loki's clients name by
  /// X-Loki-Response-Encoding-Flags how they read labels.
  bool wants_label_categories = false;
  /// Where the connection is to speak another protocol: by what was sent for it.
  std::shared_ptr<const net::RequestHead> opening = nullptr;
  std::string message = {};  ///< Route::takes_message
};

}  // namespace vigia::router::request
