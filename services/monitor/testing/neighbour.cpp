#include "services/monitor/testing/neighbour.hpp"

#include <utility>

#include "libs/base/check.hpp"
#include "libs/base/clock.hpp"

namespace vigia::monitor::testing {

net::Response answer_with(int status, std::string body) {
  net::Response response;
  response.status = status;
  response.body = std::move(body);
  return response;
}

Neighbour::Neighbour(Answer how) : answer(std::move(how)) {
  net::ServerSettings settings;
  settings.name = "neighbour";
  settings.listen = "127.0.0.1:0";
  settings.loops = 1;
  auto started = net::Server::start(std::move(settings), *this);
  CHECK(started.has_value());
  server_ = std::move(*started);
}

Neighbour::~Neighbour() { server_->stop(SystemClock().steady()); }

void Neighbour::handle(net::Request request, net::Responder responder) {
  {
    const std::scoped_lock lock(mutex_);
    asked_.push_back(request.method + " " + request.path);
  }
  responder.send(answer(request));
}

std::vector<std::string> Neighbour::asked() const {
  const std::scoped_lock lock(mutex_);
  return asked_;
}

}  // namespace vigia::monitor::testing
