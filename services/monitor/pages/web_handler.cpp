#include "services/monitor/pages/web_handler.hpp"

#include "libs/service/health.hpp"
#include "services/monitor/api/answers.hpp"

namespace vigia::monitor::pages {

WebHandler::WebHandler(api::ApiTable& table, Pages pages, bool is_secure,
                       std::function<bool()> is_ready)
    : table_(table), pages_(std::move(pages)), is_secure_(is_secure) {
  service::add_health_routes(status_, std::move(is_ready));
}

void WebHandler::handle(net::Request request, net::Responder responder) {
  // By path alone and before any other look: a load balancer's probe must not need a session, and
  // the pages own every path that nobody else has.
  if (service::HealthPaths().contain(request.path)) {
    status_.handle(std::move(request), std::move(responder));
  } else if (request.path == "/api" || request.path.starts_with("/api/")) {
    table_.handle(std::move(request), std::move(responder));
  } else {
    auto response = pages_.answer(request);
    api::add_security_headers(response, is_secure_);
    responder.send(std::move(response));
  }
}

net::Response WebHandler::refuse(const net::RequestHead& /*head*/, const Error& error) {
  auto response = api::to_response(api::Refusal(error));
  api::add_security_headers(response, is_secure_);
  return response;
}

}  // namespace vigia::monitor::pages
