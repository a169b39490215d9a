// The outside port: REST interface, status words, pages.
#pragma once

#include <functional>

#include "libs/net/routes.hpp"
#include "libs/net/server.hpp"
#include "services/monitor/api/table.hpp"
#include "services/monitor/pages/pages.hpp"

namespace vigia::monitor::pages {

/// Thread contract: any event loop; does not block.
class WebHandler : public net::Handler {
 public:
  WebHandler(api::ApiTable& table, Pages pages, bool is_secure, std::function<bool()> is_ready);
  void handle(net::Request request, net::Responder responder) override;
  net::Response refuse(const net::RequestHead& head, const Error& error) override;

 private:
  api::ApiTable& table_;
  const Pages pages_;
  const bool is_secure_;
  net::Routes status_;
};

}  // namespace vigia::monitor::pages
