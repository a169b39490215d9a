// The table of the REST interface: path, method, who may call, function. Every request passes the
// same checks here, in the same order, so that no path can forget one (A8).
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "libs/json/value.hpp"
#include "libs/net/routes.hpp"
#include "libs/net/server.hpp"
#include "libs/service/metrics.hpp"
#include "libs/service/worker_pool.hpp"
#include "services/monitor/access/change_rate.hpp"
#include "services/monitor/access/client_address.hpp"
#include "services/monitor/access/fair_pool.hpp"
#include "services/monitor/access/principal.hpp"
#include "services/monitor/api/admission.hpp"
#include "services/monitor/api/answers.hpp"
#include "services/monitor/api/customer_turns.hpp"

namespace vigia::monitor::api {

/// What a function gets after all checks.
struct ApiCall {
  const net::Request& request;
  const net::PathValues& path;
  access::Principal principal;         ///< empty for kPublic
  std::optional<CustomerId> customer;  ///< of {customer_id}: it exists and is the caller's to see
  json::JsonValue body;                ///< an object, for POST and PATCH
  access::Principal* logged_in =
      nullptr;  ///< kPublic: where a log-in writes who has proved himself
  /// A parameter of the query string; nothing where it is absent.
  std::optional<std::string> parameter(std::string_view name) const;
};

using ApiFunction = std::function<ApiResult(const ApiCall&)>;

struct OriginSettings {
  std::string public_url;       ///< what browsers call this server; "" trusts the Host header
  access::DoorProxies proxies;  ///< whose word is taken for the peer of a request
};

/// Who callers are and which customers there are. Called by workers; may block.
struct ApiGate {
  /// kUnauthenticated where nothing says who asks.
  std::function<Result<access::Principal>(const net::RequestHead&)> authenticate;
  std::function<Result<bool>(const CustomerId&)> has_customer;
  bool is_secure = false;  ///< browsers come over TLS
};

/// Callers take turns at the quick ones, known ones apart from strangers, so that no flood of
/// anybody's requests stops another's. Calls that wait for a neighbour have workers of their own,
/// so that a router that hangs does not hold up the rest; and so have those that hash passwords, so
/// that a flood of log-ins costs neither the rest nor other callers' log-ins.
struct ApiWorkers {
  access::FairPool& quick;
  service::WorkerPool& waiting;
  access::FairPool& hashing;
};

/// Thread contract: filled before the server starts; `handle` then from any event loop.
class ApiTable {
 public:
  ApiTable(ApiGate gate, ApiWorkers workers, const Clock& clock, service::MetricRegistry& metrics,
           OriginSettings origin);

  /// `pattern` below /api/v1: "/customers/{customer_id}/tokens".
  void add(std::string method, std::string pattern, Access access, ApiFunction function);
  /// The same for a function that waits for a neighbour: in turn by the caller's customer, of the
  /// operators by each of them. Whoever is refused by the checks takes no place.
  void add_waiting(std::string method, std::string pattern, Access access, ApiFunction function);
  /// The same for a function that hashes passwords. An answer below 400 makes its caller a known
  /// one.
  void add_hashing(std::string method, std::string pattern, Access access, ApiFunction function);
  void handle(net::Request request, net::Responder responder);

 private:
  enum class Kind { kQuick, kWaiting, kHashing };
  struct Entry {
    std::string method;
    std::string pattern;
    std::vector<std::string> segments;
    Access access;
    ApiFunction function;
    Kind kind = Kind::kQuick;
  };
  struct Found {
    const Entry* entry = nullptr;  ///< null where no entry takes this path and method
    net::PathValues path;
    std::string allowed;  ///< the methods that the path takes, where the method is wrong
  };
  /// A request on its way through the workers, of which one at a time has it.
  struct Job;
  Found find(const net::RequestHead& head) const;
  /// False where the workers take nothing more; the job is then not answered yet.
  bool post(const std::shared_ptr<Job>& job);
  void run(Job& job);
  /// Checks, then gives the function to the workers that may wait.
  void run_in_turn(const std::shared_ptr<Job>& job);
  void answer(Job& job, ApiResult result);
  void note_known(const Job& job);
  void refuse_busy(Job& job);
  static net::Response refuse_path(const Found& found);
  net::Response finish(ApiResult result);
  /// Fills the call, or says why not: all that stands before the entry's function.
  std::optional<Refusal> prepare(const Entry& entry, ApiCall& call);
  /// Fills principal and customer, or says why not.
  std::optional<Refusal> admit(const Entry& entry, ApiCall& call);
  std::optional<Refusal> admit_customer(ApiCall& call) const;
  /// A change from a browser comes from a page of ours.
  std::optional<Refusal> check_page(const ApiCall& call) const;
  std::optional<Refusal> check_origin(const net::Request& request) const;
  std::optional<Refusal> check_rate(const Entry& entry, const ApiCall& call);

  const ApiGate gate_;
  ApiWorkers workers_;
  CustomerTurns turns_;
  access::ChangeRate changes_;
  OriginSettings origin_;
  service::Counter& answered_;
  service::Counter& refused_;
  service::Counter& failed_;
  std::vector<Entry> entries_;
};

}  // namespace vigia::monitor::api
