// Calls of gRPC in clear text, and their connections.
#include <memory>
#include <set>
#include <string>

#include <gtest/gtest.h>

#include "libs/net/client.hpp"
#include "libs/net/testing/grpc_call.hpp"
#include "libs/net/testing/server_fixture.hpp"

namespace vigia::net {
namespace {

using internal::EchoHandler;
using internal::small_settings;

class ClientCallsTest : public testing::Test {
 protected:
  ClientCallsTest() : server_(std::move(*Server::start(small_settings(), handler_))) {}

  ClientRequest request(std::string path, std::string body) const {
    ClientRequest made;
    made.method = "POST";
    made.url = "http://" + server_->address() + path;
    made.body = std::move(body);
    return made;
  }

  EchoHandler handler_;
  std::unique_ptr<Server> server_;
  std::unique_ptr<Client> client_ = Client::create({});
};

// Debian 12's libcurl keeps none by itself: it opened one for each call.
TEST_F(ClientCallsTest, CallsInClearTextKeepTheirConnection) {
  std::set<std::string> peers;
  handler_.on_handle = [&peers](const Request& got, Responder responder) {
    peers.insert(got.peer);
    responder.send({});
  };
  for (int i = 0; i < 20; ++i) {
    const auto reply = call_and_wait(*client_, request("/p.S/M", "x"), "");
    ASSERT_TRUE(reply.has_value()) << reply.error().message;
    EXPECT_EQ(reply->code, GrpcCode::kOk);
  }
  EXPECT_EQ(peers.size(), 1U);
}

TEST_F(ClientCallsTest, ACallWhoseConnectionIsGoneMakesAnother) {
  const std::string address = server_->address();
  const ClientRequest asked = request("/p.S/M", "x");
  const auto call = [&] { return call_and_wait(*client_, asked, ""); };
  ASSERT_TRUE(call().has_value());
  server_.reset();
  const auto nobody = call();
  ASSERT_FALSE(nobody.has_value());
  EXPECT_EQ(nobody.error().code, ErrorCode::kUnavailable);
  ServerSettings settings = small_settings();
  settings.listen = address;
  server_ = std::move(*Server::start(settings, handler_));
  const auto reply = call();
  ASSERT_TRUE(reply.has_value()) << reply.error().message;
  EXPECT_EQ(reply->code, GrpcCode::kOk);
}

}  // namespace
}  // namespace vigia::net
