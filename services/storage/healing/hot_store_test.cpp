#include "services/storage/healing/hot_store.hpp"

#include <algorithm>
#include <map>

#include <gmock/gmock.h>

#include "libs/net/server.hpp"

namespace vigia::storage::healing {
namespace {

// Says at length, and with letters that are none, what is wrong.
class WordyHandler final : public net::Handler {
 public:
  explicit WordyHandler(int status) : status_(status) {}
  void handle(net::Request /*request*/, net::Responder responder) override {
    net::Response response;
    response.status = status_;
    response.headers.add("content-type", "application/json");
    const std::string words = "no\x7f\xc3\xa9 " + std::string(5'000, 'x');
    response.body = R"({"status":"error","errorType":"bad","error":"\u001b[31m\n)" + words + "\"}";
    responder.send(std::move(response));
  }

 private:
  const int status_;
};

TEST(HotStoreErrors, WhatAPrometheusSaysIsCutAndOfPrintableLetters) {
  for (const int status : {200, 400, 503}) {
    WordyHandler handler(status);
    net::ServerSettings listening;
    listening.name = "hot";
    listening.listen = "127.0.0.1:0";
    const auto server = net::Server::start(std::move(listening), handler);
    ASSERT_TRUE(server.has_value()) << server.error().message;
    HealSettings settings;
    settings.prometheus = "http://" + (*server)->address();
    Prometheus hot(settings);
    const auto customers = hot.customers({0, 1});
    ASSERT_FALSE(customers.has_value());
    const std::string& text = customers.error().message;
    EXPECT_THAT(text, testing::HasSubstr("xxx"));
    EXPECT_LT(text.size(), 300U);
    EXPECT_TRUE(std::all_of(text.begin(), text.end(), [](char c) { return c >= ' ' && c <= '~'; }))
        << text;
  }
}

// What is refused for what is asked is no reason to ask the same for ever.
TEST(HotStoreErrors, AQuestionThatIsRefusedIsToldFromWhoMayNotAsk) {
  const std::map<int, ErrorCode> codes = {
      {400, ErrorCode::kCorrupt},     {401, ErrorCode::kInvalid},     {404, ErrorCode::kInvalid},
      {408, ErrorCode::kUnavailable}, {413, ErrorCode::kTooLarge},    {422, ErrorCode::kCorrupt},
      {429, ErrorCode::kUnavailable}, {503, ErrorCode::kUnavailable},
  };
  for (const auto& [status, code] : codes) {
    WordyHandler handler(status);
    net::ServerSettings listening;
    listening.name = "hot";
    listening.listen = "127.0.0.1:0";
    const auto server = net::Server::start(std::move(listening), handler);
    ASSERT_TRUE(server.has_value()) << server.error().message;
    HealSettings settings;
    settings.prometheus = "http://" + (*server)->address();
    Prometheus hot(settings);
    const auto customers = hot.customers({0, 1});
    ASSERT_FALSE(customers.has_value());
    EXPECT_EQ(customers.error().code, code) << status;
  }
}

}  // namespace
}  // namespace vigia::storage::healing
