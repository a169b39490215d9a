#include "services/monitor/internal_port/unanswered.hpp"

#include <memory>

#include <gtest/gtest.h>

#include "libs/base/clock.hpp"
#include "libs/base/task.hpp"
#include "libs/net/client.hpp"
#include "libs/net/server.hpp"
#include "libs/service/worker_pool.hpp"

namespace vigia::monitor::internal_port {
namespace {

net::Response teapot() {
  net::Response response;
  response.status = 418;
  return response;
}

/// Hands each request to a pool, as the internal port does.
class Door : public net::Handler {
 public:
  explicit Door(std::size_t jobs_max) : pool_(1, jobs_max) {
    net::ServerSettings settings;
    settings.name = "door";
    settings.listen = "127.0.0.1:0";
    settings.loops = 1;
    server_ = std::move(*net::Server::start(std::move(settings), *this));
  }
  ~Door() override { server_->stop(SystemClock().steady()); }

  void handle(net::Request /*request*/, net::Responder responder) override {
    pool_.submit([asked = Unanswered(std::move(responder))]() mutable {
      Unanswered moved = std::move(asked);  // what is left behind answers nothing
      moved.send(teapot());
    });
  }
  int ask() {
    net::ClientRequest request;
    request.url = "http://" + server_->address() + "/";
    const auto answer = client_->fetch(std::move(request));
    return answer ? answer->status : 0;
  }

 private:
  service::WorkerPool pool_;
  std::unique_ptr<net::Client> client_ = net::Client::create({});
  std::unique_ptr<net::Server> server_;
};

TEST(Unanswered, TheJobAnswers) { EXPECT_EQ(Door(1).ask(), 418); }

// 500 would be a fault of ours, and whoever asks would not come again.
TEST(Unanswered, WhatNoQueueTakesIsToldToComeAgain) { EXPECT_EQ(Door(0).ask(), 503); }

}  // namespace
}  // namespace vigia::monitor::internal_port
