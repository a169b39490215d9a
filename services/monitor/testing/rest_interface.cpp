#include "services/monitor/testing/rest_interface.hpp"

#include "libs/base/check.hpp"
#include "libs/json/strict_reader.hpp"
#include "services/monitor/customers/customers.hpp"

namespace vigia::monitor::testing {
namespace {

constexpr std::string_view kBearer = "Bearer ";
constexpr std::string_view kToken = "-token";
constexpr std::string_view kCsrfToken = "c";
constexpr std::size_t kJobsMax = 16;

Result<access::Principal> caller_of(const net::RequestHead& head) {
  std::string_view name = head.headers.get("authorization");
  if (!name.starts_with(kBearer)) return fail(ErrorCode::kUnauthenticated, "who?");
  name.remove_prefix(kBearer.size());
  access::Principal caller;
  caller.name = "user:" + std::string(name);
  caller.may_change = !name.ends_with(kToken);
  if (caller.may_change) {
    caller.user_id = name;
    caller.session_id = "s";
    caller.csrf_token = kCsrfToken;
  } else {
    name.remove_suffix(kToken.size());
  }
  if (name == "operator") return caller;
  auto customer = CustomerId::parse(name);
  if (!customer) return forward(customer);
  caller.customer = *customer;
  return caller;
}

}  // namespace

RestInterface::RestInterface()
    : quick_(access::FairPoolLimits{2, kJobsMax, kJobsMax, kJobsMax}, pool_clock_),
      waiting_(1, kJobsMax),
      hashing_(access::FairPoolLimits{1, kJobsMax, kJobsMax, kJobsMax}, pool_clock_),
      table_(gate(), api::ApiWorkers{quick_, waiting_, hashing_}, clock_, metrics_, {}),
      client_(net::Client::create({})) {
  for (const auto* id : {"cliente-a", "cliente-b"}) {
    const customers::CustomerRow row{
        *CustomerId::parse(id), std::string("The ") + id, true, "hot-0", {}, 1, 1};
    const auto inserted = (*database_).write([&](store::DatabaseConnection& connection) {
      return customers::insert_customer(row, connection);
    });
    CHECK(inserted && *inserted);
  }
}

RestInterface::~RestInterface() {
  if (server_) server_->stop(pool_clock_.steady());
  client_->close();
  // As the service does: a job that has answered still looks for the next one in the table.
  quick_.stop();
  waiting_.stop(service::WaitingJobs::kDrop, {});
  hashing_.stop();
}

void RestInterface::handle(net::Request request, net::Responder responder) {
  table_.handle(std::move(request), std::move(responder));
}

api::ApiGate RestInterface::gate() {
  return {.authenticate = caller_of, .has_customer = [this](const CustomerId& id) -> Result<bool> {
            auto found = (*database_).read([&](store::DatabaseConnection& connection) {
              return customers::find_customer(id, connection);
            });
            if (!found) return forward(found);
            return found->has_value();
          }};
}

RestAnswer RestInterface::call(const std::string& caller, const std::string& method,
                               const std::string& path, const std::string& body) {
  if (!server_) {
    net::ServerSettings settings;
    settings.name = "rest";
    settings.listen = "127.0.0.1:0";
    settings.loops = 1;
    server_ = std::move(*net::Server::start(std::move(settings), *this));
  }
  net::ClientRequest request;
  request.method = method;
  request.url = "http://" + server_->address() + "/api/v1" + path;
  request.headers.add("authorization", std::string(kBearer) + caller);
  request.headers.add("x-csrf-token", std::string(kCsrfToken));
  if (!body.empty()) request.headers.add("content-type", "application/json");
  request.body = body;
  auto answered = client_->fetch(std::move(request));
  if (!answered) return {};
  auto parsed = json::parse_json(answered->body);
  return {answered->status, parsed ? std::move(*parsed) : json::JsonValue(),
          std::move(answered->body)};
}

std::vector<store::AuditEntry> RestInterface::audited() {
  constexpr std::int64_t kAll = 1'000;
  return *(*database_).read([](store::DatabaseConnection& connection) {
    return store::list_audit(std::nullopt, 0, kAll, connection);
  });
}

}  // namespace vigia::monitor::testing
