// The door: who comes in by which path.
#pragma once

#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "libs/net/routes.hpp"
#include "services/router/access/access.hpp"
#include "services/router/access/loop_time.hpp"
#include "services/router/api/jaeger/search_api.hpp"
#include "services/router/api/jaeger/trace_api.hpp"
#include "services/router/api/loki/log_api.hpp"
#include "services/router/api/loki/tail_api.hpp"
#include "services/router/api/prometheus/exemplar_api.hpp"
#include "services/router/api/prometheus/federate_api.hpp"
#include "services/router/api/prometheus/label_api.hpp"
#include "services/router/api/prometheus/metadata_api.hpp"
#include "services/router/api/prometheus/query_api.hpp"
#include "services/router/api/prometheus/read_api.hpp"
#include "services/router/api/prometheus/rule_api.hpp"
#include "services/router/api/prometheus/status_api.hpp"
#include "services/router/request/exchange.hpp"

namespace vigia::router {

/// Every path that is served stands in a row of its constructor; all else is 404. Whatever is
/// refused, before the caller is known or after, is told in the form of the API whose path it is.
/// Callers are checked before a byte of their body is kept. Handlers get the caller, the parameters
/// and what else ApiRequest names, nothing else of the request: no header of a client can reach an
/// upstream. Any event loop.
class Gateway final : public net::Handler {
 public:
  /// The references must outlive it.
  Gateway(stores::Stores& stores, cache::KeptAnswers& kept, const access::Access& access,
          service::MetricRegistry& metrics, request::SlowQueries& slow, std::size_t in_flight_max,
          std::function<bool()> is_ready, std::size_t tails_per_customer_max = 10);

  std::optional<net::Response> admit(net::RequestHead& head) override;
  void handle(net::Request request, net::Responder responder) override;
  net::Response refuse(const net::RequestHead& head, const Error& error) override;
  bool reads_coding(const net::RequestHead& head, std::string_view coding) const override;
  /// Method and pattern of every path that is served (net::Routes): what docs/api/router.yaml has.
  std::vector<std::pair<std::string, std::string>> routes() const;

 private:
  using Function = std::function<void(request::ApiRequest, request::Exchange)>;
  using Route = request::Exchange::Route;

  /// The paths of one API: those that begin with its prefix.
  struct Branch {
    Branch(std::string begin, net::ErrorForm form)
        : prefix(std::move(begin)), error_form(form), routes(form) {}
    const std::string prefix;
    const net::ErrorForm error_form;
    net::Routes routes;
  };
  Branch& branch(std::string prefix, net::ErrorForm error_form);
  Branch& branch_of(std::string_view path);
  void mount_prometheus(Branch& branch);
  void mount_federation(Branch& branch);
  void mount_jaeger(Branch& branch);
  void mount_loki(Branch& branch);
  void mount_own(Branch& branch, std::function<bool()> is_ready);
  /// GET, and POST where a form may come in a body.
  void add(Branch& branch, const std::string& path, bool takes_post, const Function& function);
  void add_method(Branch& branch, const std::string& method, const std::string& path,
                  const Function& function, bool takes_message = false);
  void serve(const Route& route, const Function& function, net::Request request,
             net::PathValues values, net::Responder responder);
  /// What stands in the routes, and stays there.
  struct Mounted {
    const Route& route;
    const Function& function;
  };
  void dispatch(const Mounted& mounted, access::Caller caller, net::Request request,
                net::PathValues values, request::Exchange exchange);
  void confirm_cold(request::ApiRequest request, request::Exchange exchange);

  stores::Stores& stores_;
  const access::Access& access_;
  service::MetricRegistry& metrics_;
  const Clock& clock_;
  request::SlowQueries& slow_;
  access::InFlight in_flight_;
  access::LoopTime loop_time_;
  service::Counter& large_;   // requests that were read apart
  service::Counter& costly_;  // likewise
  api::prometheus::QueryApi queries_;
  api::prometheus::LabelApi labels_;
  api::prometheus::RuleApi rules_;
  api::prometheus::MetadataApi metadata_;
  api::prometheus::ExemplarApi exemplars_;
  api::prometheus::FederateApi federation_;
  api::prometheus::ReadApi reads_;
  api::prometheus::StatusApi status_;
  api::jaeger::TraceApi traces_;
  api::jaeger::SearchApi searches_;
  api::loki::LogApi logs_;
  api::loki::TailApi tails_;
  std::deque<Branch> branches_;  // in the order of their rows; the last one has all paths
};

}  // namespace vigia::router
