// The REST interface behind a real door, for tests of what stands in its table.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "libs/base/clock.hpp"
#include "libs/json/value.hpp"
#include "libs/net/client.hpp"
#include "libs/net/server.hpp"
#include "libs/service/metrics.hpp"
#include "libs/service/worker_pool.hpp"
#include "services/monitor/access/fair_pool.hpp"
#include "services/monitor/api/table.hpp"
#include "services/monitor/store/audit.hpp"
#include "services/monitor/store/testing/scratch_database.hpp"

namespace vigia::monitor::testing {

inline constexpr std::int64_t kNowMs = 1'795'575'845'000;  ///< 2026-11-25T03:04:05Z

struct RestAnswer {
  int status = 0;  ///< 0: none came
  json::JsonValue body;
  std::string text;  ///< the body as it came
};

/// A database with the customers cliente-a and cliente-b, and a table to fill before the first
/// call. Whoever calls is known by name: "operator"; "cliente-a", one of that customer's people;
/// "cliente-a-token", which reads. Thread contract: one thread.
class RestInterface : public net::Handler {
 public:
  RestInterface();
  ~RestInterface() override;
  RestInterface(const RestInterface&) = delete;
  RestInterface& operator=(const RestInterface&) = delete;

  api::ApiTable& table() { return table_; }
  store::Database& database() { return *database_; }
  ManualClock& clock() { return clock_; }
  /// `path` below /api/v1; a `body` is sent as JSON.
  RestAnswer call(const std::string& caller, const std::string& method, const std::string& path,
                  const std::string& body = "");
  /// What the audit log has, newest first.
  std::vector<store::AuditEntry> audited();

  void handle(net::Request request, net::Responder responder) override;

 private:
  api::ApiGate gate();

  ManualClock clock_{kNowMs * 1'000'000};
  SystemClock pool_clock_;
  service::MetricRegistry metrics_;
  store::ScratchDatabase database_;
  access::FairPool quick_;
  service::WorkerPool waiting_;
  access::FairPool hashing_;
  api::ApiTable table_;
  std::unique_ptr<net::Client> client_;
  std::unique_ptr<net::Server> server_;
};

}  // namespace vigia::monitor::testing
