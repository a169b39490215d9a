// A server with a handler that echoes, for tests that speak HTTP/1.1 by hand or by curl.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

#include "libs/net/server.hpp"
#include "libs/net/testing/server_fixture.hpp"

namespace vigia::net {

using internal::EchoHandler;
using internal::RawClient;
using internal::small_settings;

class ServerTest : public testing::Test {
 protected:
  Server& start(ServerSettings settings = small_settings()) {
    auto server = Server::start(std::move(settings), handler_);
    EXPECT_TRUE(server.has_value()) << server.error().message;
    server_ = std::move(*server);
    return *server_;
  }
  RawClient connect() { return RawClient(server_->port()); }
  std::string url(std::string_view path) {
    return "http://" + server_->address() + std::string(path);
  }
  std::string curl(const std::string& arguments) {
    return internal::run("curl -sS -m 20 " + arguments);
  }

  EchoHandler handler_;
  std::unique_ptr<Server> server_;
};

inline std::string get(std::string_view path, std::string_view headers = "") {
  return "GET " + std::string(path) + " HTTP/1.1\r\nHost: x\r\n" + std::string(headers) + "\r\n";
}

}  // namespace vigia::net
