#include "services/router/upstream/upstream.hpp"

#include <future>
#include <mutex>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "libs/net/server.hpp"

namespace vigia::router::upstream {
namespace {

/// Answers all but /endless.
class Store final : public net::Handler {
 public:
  Store() {
    net::ServerSettings settings;
    settings.name = "store";
    settings.listen = "127.0.0.1:0";
    settings.loops = 1;
    auto started = net::Server::start(std::move(settings), *this);
    if (started) server_ = std::move(*started);
  }
  void handle(net::Request request, net::Responder responder) override {
    if (request.path == "/endless") {
      const std::lock_guard lock(mutex_);
      return held_.push_back(std::move(responder));
    }
    net::Response response;
    response.body = R"({"status":"success","data":[]})";
    // "/large/3": of 3 MiB.
    constexpr std::string_view kLarge = "/large/";
    if (request.path.starts_with(kLarge)) {
      response.body = large(std::stoul(request.path.substr(kLarge.size())));
    }
    if (request.path == "/faulty") response.body = large(2) + "}";
    responder.send(std::move(response));
  }
  static std::string large(std::size_t mebibytes) {
    return R"({"status":"success","data":[")" + std::string(mebibytes << 20U, 'x') +
           R"("],"warnings":["w"]})";
  }
  std::string url() const { return server_ ? "http://" + server_->address() : ""; }

 private:
  std::mutex mutex_;
  std::vector<net::Responder> held_;
  std::unique_ptr<net::Server> server_;  // after what its thread reads
};

class UpstreamTest : public testing::Test {
 protected:
  UpstreamTest() = default;
  ~UpstreamTest() override {
    light->close();
    costly->close();
    readers.stop();
  }

  Result<wire::prometheus_api::Envelope> ask(const std::string& customer, const std::string& path,
                                             Lane lane = Lane::kUnknown) {
    Ask ask(*CustomerId::parse(customer), path);
    ask.lane = lane;
    if (path == "/endless") ask.timeout = std::chrono::milliseconds(1);
    return wait_for(std::move(ask));
  }
  /// One whose answer may be stored.
  Result<wire::prometheus_api::Envelope> ask_large(const std::string& path) {
    Ask ask(*CustomerId::parse("acme"), path);
    ask.may_be_stored = true;
    return wait_for(std::move(ask));
  }
  Result<wire::prometheus_api::Envelope> wait_for(Ask ask) {
    std::promise<Result<wire::prometheus_api::Envelope>> answered;
    upstream.ask(std::move(ask), [&answered](Result<wire::prometheus_api::Envelope> answer) {
      answered.set_value(std::move(answer));
    });
    return answered.get_future().get();
  }

  Store store;
  ManualClock clock{0};
  service::MetricRegistry metrics;
  const access::ByteShares shares{access::ByteShareSettings{}};
  const spool::Spool spool{
      {.folder = ::testing::TempDir(), .bytes_max = 8U << 20U}, metrics, clock};
  Readers readers;
  const std::unique_ptr<net::Client> light = net::Client::create({});
  const std::unique_ptr<net::Client> costly = net::Client::create({});
  const Upstream upstream{{*light, *costly},
                          {"hot-0", store.url(), "", 6U << 20U, {}},
                          {shares, spool, readers},
                          metrics,
                          clock};
};

// Two that never end, one cheap, two that never end …: a store had two more to work on each time,
// for as long as anybody liked.
TEST_F(UpstreamTest, ACheapAnswerMakesUpForNoQueryWithoutAnEnd) {
  for (int i = 0; i < 2; ++i) {
    const auto unended = ask("acme", "/endless");
    ASSERT_FALSE(unended.has_value());
    EXPECT_EQ(unended.error().code, ErrorCode::kDeadline);
    for (int cheap = 0; cheap < 3; ++cheap) EXPECT_TRUE(ask("acme", "/cheap").has_value());
  }
  EXPECT_EQ(ask("acme", "/endless", Lane::kHeavy).error().code, ErrorCode::kDeadline);
  const auto refused = ask("acme", "/endless");
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, ErrorCode::kOverLimit) << refused.error().message;
  EXPECT_TRUE(ask("acme", "/cheap", Lane::kUsual).has_value()) << "light ones go on";
  EXPECT_TRUE(ask("other", "/cheap").has_value());
  clock.advance(Penalties::kPauseMin);
  EXPECT_TRUE(ask("acme", "/cheap").has_value()) << "and so does the customer after the pause";
}

// 40 look-ups of 16 MB each arrived on the thread on which everybody's answers did.
TEST_F(UpstreamTest, WhatIsLightWaitsForNoOtherAnswerToBeTaken) {
  std::promise<void> is_taken;
  std::promise<void> is_light_answered;
  std::promise<bool> was_first;
  Ask look_up(std::nullopt, "/series");
  look_up.lane = Lane::kLookUp;
  upstream.ask(std::move(look_up), [&](const Result<wire::prometheus_api::Envelope>&) {
    is_taken.set_value();
    const auto waited = is_light_answered.get_future().wait_for(std::chrono::seconds(10));
    was_first.set_value(waited == std::future_status::ready);
  });
  is_taken.get_future().wait();
  EXPECT_TRUE(ask("other", "/cheap", Lane::kUsual).has_value());
  is_light_answered.set_value();
  EXPECT_TRUE(was_first.get_future().get());
}

// The provider's own dashboard, whose queries do not end, or customers' that fill their places.
TEST_F(UpstreamTest, WhatTheMonitorAsksWaitsForNobodysQueriesWithoutAnEnd) {
  const auto ask_for_ever = [this](std::optional<CustomerId> customer, Lane lane) {
    Ask ask(std::move(customer), "/endless");
    ask.lane = lane;
    upstream.ask(std::move(ask), [](const Result<wire::prometheus_api::Envelope>&) {});
  };
  for (int i = 0; i < 6; ++i) {
    const auto customer = *CustomerId::parse("c" + std::to_string(i));
    for (const Lane lane : {Lane::kHeavy, Lane::kUnknown}) ask_for_ever(customer, lane);
    ask_for_ever(std::nullopt, Lane::kHeavy);
  }
  Ask brief(std::nullopt, "/cheap");
  brief.timeout = Lanes::kBriefMax;
  brief.lane = Lane::kHeavy;
  const auto answered = std::make_shared<std::promise<bool>>();
  upstream.ask(std::move(brief), [answered](const Result<wire::prometheus_api::Envelope>& answer) {
    answered->set_value(answer.has_value());
  });
  auto answer = answered->get_future();
  ASSERT_EQ(answer.wait_for(std::chrono::seconds(10)), std::future_status::ready);
  EXPECT_TRUE(answer.get());
}

TEST_F(UpstreamTest, OperatorsBriefQueriesAndLongOnesHaveTheirPenaltiesApart) {
  const auto ask_as_operator = [this](const std::string& path, Duration timeout) {
    Ask ask(std::nullopt, path);
    ask.lane = Lane::kUnknown;
    ask.timeout = timeout;
    std::promise<Result<wire::prometheus_api::Envelope>> answered;
    upstream.ask(std::move(ask), [&answered](Result<wire::prometheus_api::Envelope> answer) {
      answered.set_value(std::move(answer));
    });
    return answered.get_future().get();
  };
  for (int i = 0; i < Penalties::kFreeTimeouts; ++i) {
    EXPECT_FALSE(ask_as_operator("/endless", std::chrono::milliseconds(1)).has_value());
  }
  EXPECT_FALSE(ask_as_operator("/cheap", Lanes::kBriefMax).has_value()) << "has its pause";
  EXPECT_TRUE(ask_as_operator("/cheap", Lanes::kBriefMax * 2).has_value());
}

TEST_F(UpstreamTest, ALargeAnswerIsStoredAndASmallOneIsNot) {
  const auto small = ask_large("/cheap");
  ASSERT_TRUE(small.has_value());
  EXPECT_FALSE(small->is_stored());
  EXPECT_EQ(small->data(), "[]");
  const std::string body = Store::large(3);
  {
    const auto large = ask_large("/large/3");
    ASSERT_TRUE(large.has_value()) << large.error().message;
    ASSERT_TRUE(large->is_stored());
    EXPECT_EQ(large->stored()->size(), body.size());
    EXPECT_EQ(large->warnings(), std::vector<std::string>{"w"});
    ASSERT_EQ(large->stored_data().size(), 1U);
    EXPECT_EQ(large->data_size(), (3U << 20U) + 4);
    EXPECT_EQ(spool.bytes(), body.size());
  }
  // In the customer's row.
  std::promise<void> is_over;
  readers.run_part("acme", [&is_over] { is_over.set_value(); });
  is_over.get_future().wait();
  EXPECT_EQ(spool.bytes(), 0U) << "it goes with its last reader";
  Ask in_memory(*CustomerId::parse("acme"), "/large/3");
  const auto whole = wait_for(std::move(in_memory));
  ASSERT_TRUE(whole.has_value());
  EXPECT_FALSE(whole->is_stored()) << "for whoever wants the text";
}

TEST_F(UpstreamTest, ALargeAnswerThatIsNoneIsAFaultOfTheStores) {
  const auto answer = ask_large("/faulty");
  ASSERT_FALSE(answer.has_value());
  EXPECT_EQ(answer.error().code, ErrorCode::kCorrupt);
  EXPECT_EQ(spool.bytes(), 0U);
}

TEST_F(UpstreamTest, WhatIsTooLargeEndsWhileItComes) {
  EXPECT_EQ(ask_large("/large/7").error().code, ErrorCode::kTooLarge) << "of any answer";
  const auto first = ask_large("/large/5");
  ASSERT_TRUE(first.has_value());
  const auto second = ask_large("/large/5");
  ASSERT_FALSE(second.has_value()) << "the customer's share of the disk";
  EXPECT_EQ(second.error().code, ErrorCode::kOverLimit);
}

}  // namespace
}  // namespace vigia::router::upstream
