// Loki's live tail: who may open one, and what keeps them going.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "libs/service/metrics.hpp"
#include "services/router/access/access.hpp"
#include "services/router/access/in_flight.hpp"
#include "services/router/api/loki/query_threads.hpp"
#include "services/router/api/loki/tail.hpp"
#include "services/router/request/exchange.hpp"
#include "services/router/stores/stores.hpp"

namespace vigia::router::api::loki {

/// `query` gives lines; delay_for in whole seconds, 5 at the most. kInvalid.
Result<TailQuestion> read_tail(const access::Caller& caller, const request::Parameters& parameters,
                               TimestampMs now_ms);

/// Any thread.
class TailApi {
 public:
  /// Of all customers at once: each may hold TailQueue::kBytesMax.
  static constexpr std::size_t kTailsMax = 1'000;

  /// The references must outlive it. `per_customer_max`: tails of one customer at once.
  TailApi(stores::Stores& stores, const access::Access& access, service::MetricRegistry& metrics,
          std::size_t per_customer_max);
  ~TailApi();
  TailApi(const TailApi&) = delete;
  TailApi& operator=(const TailApi&) = delete;

  /// Errors before it is one: 426 and 400 (refuse_websocket), 400 (parameters), 403 (a browser's
  /// page of elsewhere), 429 (too many), storage's. Then 101, and errors are closes.
  void tail(request::ApiRequest request, request::Exchange exchange);

 private:
  void begin(TailQuestion question, const net::RequestHead& opening, access::InFlight::Place place,
             request::Exchange exchange);
  void open(const std::shared_ptr<Tail>& tail, request::Exchange exchange);
  void run();
  void pulse_due(TimePoint now);

  stores::Stores& stores_;
  const access::Access& access_;
  QueryThreads threads_;
  access::InFlight places_;
  service::Counter& lines_;
  service::Counter& dropped_;

  /// A tail ends with its connection, or with what is under way for it.
  struct Kept {
    std::weak_ptr<Tail> tail;
    TimePoint due;
  };

  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Kept> tails_;  // guarded by mutex_, as the next
  bool is_ending_ = false;
  std::thread thread_;  // last: it uses all of the above
};

}  // namespace vigia::router::api::loki
