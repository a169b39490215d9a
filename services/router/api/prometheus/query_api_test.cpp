#include "services/router/api/prometheus/query_api.hpp"

#include <condition_variable>
#include <future>
#include <mutex>
#include <string>
#include <thread>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "libs/net/server.hpp"
#include "services/router/api/prometheus/answer.hpp"

namespace vigia::router::api::prometheus {
namespace {

constexpr TimestampMs kNowMs = 1'800'000'000'000;
constexpr TimestampMs kMinuteMs = 60'000;
constexpr std::chrono::seconds kLongest{30};

std::string vector_of(const std::string& series) {
  return R"({"status":"success","data":{"resultType":"vector","result":[)" + series + "]}}";
}

std::unique_ptr<net::Server> served(net::Handler& handler, std::string listen = "127.0.0.1:0") {
  net::ServerSettings settings;
  settings.name = "store";
  settings.listen = std::move(listen);
  settings.loops = 1;
  auto started = net::Server::start(std::move(settings), handler);
  return started ? std::move(*started) : nullptr;
}

void answer_with(net::Responder& responder, int status, std::string body) {
  net::Response response;
  response.status = status;
  response.body = std::move(body);
  responder.send(std::move(response));
}

/// A hot store with an hour of heartbeats, which keeps customers' queries until it is told to
/// answer them.
class Hot final : public net::Handler {
 public:
  Hot() : server_(served(*this)) {}
  std::string url() const { return "http://" + server_->address(); }

  void handle(net::Request request, net::Responder responder) override {
    const auto parameters = request::Parameters::read(request);
    const std::string query = parameters ? parameters->single("query")->value_or("") : "";
    const TimestampMs at = parameters ? parameters->time("time")->value_or(kNowMs) : kNowMs;
    const std::lock_guard lock(mutex_);
    const bool is_known = request.path != "/api/v1/query" || query.find("vigia_hot_") == 0 ||
                          query.find("(vigia_hot_") != std::string::npos;
    if (!is_known && !is_open_) {
      held_.push_back(std::move(responder));
    } else {
      answer_with(responder, 200, answer_to(request.path, query, at));
    }
    changed_.notify_all();
  }

  /// As after a start on an empty disk.
  void wipe() {
    set([this] { is_wiped_ = true; });
  }
  /// Its process ends, and another one begins at the same address.
  void restart() {
    const std::string address = server_->address();
    server_.reset();
    ++starts_;
    server_ = served(*this, address);
  }
  /// Keeps customers' queries again.
  void hold() {
    set([this] { is_open_ = false; });
  }
  /// Of any customer.
  void lose_until(TimestampMs until_ms) {
    set([this, until_ms] { hole_ms_ = until_ms; });
  }
  bool wait_for_held(std::size_t count) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, kLongest, [&] { return held_.size() >= count; });
  }
  /// Until what is so now has been read, and what was read counts.
  bool wait_for_polls() {
    std::unique_lock lock(mutex_);
    const int enough = polls_ + 3;
    return changed_.wait_for(lock, kLongest, [&] { return polls_ >= enough; });
  }
  void answer_held() {
    const std::lock_guard lock(mutex_);
    for (net::Responder& each : held_) answer_with(each, 200, vector_of(""));
    held_.clear();
  }
  /// Keeps none from now on.
  void open() {
    set([this] { is_open_ = true; });
    answer_held();
  }

 private:
  template <typename Change>
  void set(const Change& change) {
    const std::lock_guard lock(mutex_);
    change();
  }

  std::string answer_to(const std::string& path, const std::string& query, TimestampMs at) {
    if (path == "/api/v1/status/buildinfo") {
      return R"({"status":"success","data":{"version":"3.5.0"}})";
    }
    if (path == "/api/v1/status/runtimeinfo") {
      return fmt::format(R"({{"status":"success","data":{{"startTime":"{}"}}}})", starts_);
    }
    if (query.find("sum(count_over_time(vigia_hot_heartbeat") == 0) {
      return vector_of(is_wiped_ ? "" : R"({"metric":{},"value":[0,"1000"]})");
    }
    if (query.find("kind=\"lost\"") != std::string::npos) {
      return vector_of(hole_ms_ == 0 ? ""
                                     : fmt::format(R"({{"metric":{{"of_customer":"acme"}},)"
                                                   R"("value":[0,"{}"]}})",
                                                   hole_ms_ / 1'000));
    }
    if (query.find("vigia_hot_heartbeat") == 0) return beats(at);
    if (query.find("kind=\"waiting\"") != std::string::npos) ++polls_;  // the last of each
    return vector_of("");
  }

  std::string beats(TimestampMs at) const {
    std::string values;
    for (int i = 60; i >= 0 && !is_wiped_ && at <= kNowMs; --i) {
      values +=
          fmt::format(R"({}[{},"1"])", values.empty() ? "" : ",", (kNowMs - i * kMinuteMs) / 1'000);
    }
    const std::string series =
        values.empty() ? ""
                       : fmt::format(R"({{"metric":{{"collector":"c"}},"values":[{}]}})", values);
    return fmt::format(R"({{"status":"success","data":{{"resultType":"matrix","result":[{}]}}}})",
                       series);
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  bool is_open_ = false;
  bool is_wiped_ = false;
  TimestampMs hole_ms_ = 0;
  int polls_ = 0;
  int starts_ = 1;
  std::vector<net::Responder> held_;
  std::unique_ptr<net::Server> server_;  // after what its thread reads
};

/// prometheus-query: one series of everything.
class Cold final : public net::Handler {
 public:
  Cold() : server_(served(*this)) {}
  std::string url() const { return "http://" + server_->address(); }
  void handle(net::Request /*request*/, net::Responder responder) override {
    answer_with(responder, status_, vector_of(R"({"metric":{"of":"cold"},"value":[0,"2"]})"));
  }
  void fail() { status_ = 500; }

 private:
  std::atomic<int> status_ = 200;
  std::unique_ptr<net::Server> server_;
};

/// The door of a router with these two stores, for one operator.
class Door final : public net::Handler {
 public:
  Door(const Hot& hot, const Cold& cold, Duration poll = std::chrono::milliseconds(1))
      : settings_(settings(hot, cold, poll)),
        clock_(kNowMs * 1'000'000),
        stores_(settings_, {*client_, *client_}, metrics_, clock_),
        api_(stores_, kept_, metrics_),
        server_(served(*this)) {}
  ~Door() override {
    client_->close();
    stores_.stop_reading();
  }
  Door(const Door&) = delete;
  Door& operator=(const Door&) = delete;

  void handle(net::Request request, net::Responder responder) override {
    request::Exchange exchange(std::move(responder), {"/api/v1/query", error_form}, metrics_,
                               clock_);
    request::ApiRequest asked{{}, *request::Parameters::read(request), {}, exchange.interest()};
    api_.query(std::move(asked), std::move(exchange));
    const std::lock_guard lock(mutex_);
    ++taken_;
    changed_.notify_all();
  }

  using Answer = std::future<Result<net::ClientResponse>>;
  Answer ask(const std::string& query) {
    auto promise = std::make_shared<std::promise<Result<net::ClientResponse>>>();
    net::ClientRequest request;
    request.url = "http://" + server_->address() + "/api/v1/query?query=" + query;
    asking_->send(std::move(request), [promise](Result<net::ClientResponse> response) {
      promise->set_value(std::move(response));
    });
    return promise->get_future();
  }
  /// So many have gone as far as they get without an answer.
  bool wait_for_taken(int count) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, kLongest, [&] { return taken_ >= count; });
  }
  coverage::Coverage& coverage() { return stores_.coverage(); }

 private:
  static stores::StoresSettings settings(const Hot& hot, const Cold& cold, Duration poll) {
    stores::StoresSettings settings;
    settings.hot_shards = {{"hot-0", hot.url()}};
    settings.query_url = cold.url();
    settings.coverage.heartbeat_poll = poll;
    return settings;
  }

  const stores::StoresSettings settings_;
  const ManualClock clock_;
  service::MetricRegistry metrics_;
  const std::unique_ptr<net::Client> client_ = net::Client::create({});
  const std::unique_ptr<net::Client> asking_ = net::Client::create({});
  stores::Stores stores_;
  cache::KeptAnswers kept_{{}};
  QueryApi api_;
  std::mutex mutex_;
  std::condition_variable changed_;
  int taken_ = 0;
  std::unique_ptr<net::Server> server_;
};

std::string served_by(const Result<net::ClientResponse>& answer) {
  return answer ? std::string(answer->headers.get("x-vigia-served")) : answer.error().message;
}

class QueryApiTest : public testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(hot.wait_for_polls()); }
  /// One holds the caller's only turn at hot, another waits for it.
  void fill_row() {
    first = door.ask("up");
    ASSERT_TRUE(hot.wait_for_held(1));
    waiting = door.ask("down");
    ASSERT_TRUE(door.wait_for_taken(2));
  }
  Hot hot;
  Cold cold;
  Door door{hot, cold};
  Door::Answer first;
  Door::Answer waiting;
};

TEST_F(QueryApiTest, WhatHotCoversItAnswers) {
  fill_row();
  hot.answer_held();
  EXPECT_EQ(served_by(first.get()).find("hot="), 0U);
  ASSERT_TRUE(hot.wait_for_held(1));
  hot.answer_held();
  EXPECT_EQ(served_by(waiting.get()).find("hot="), 0U);
}

// The store came back empty while a query waited for its turn there, and its answer, nothing, went
// to the caller as all that there is.
TEST_F(QueryApiTest, WhatAWipedHotStoreCoveredIsAskedOfColdWhenTheTurnComes) {
  fill_row();
  hot.wipe();
  ASSERT_TRUE(hot.wait_for_polls());
  hot.answer_held();
  const auto answer = waiting.get();
  EXPECT_EQ(served_by(answer).find("cold:raw="), 0U) << served_by(answer);
  ASSERT_TRUE(answer.has_value());
  EXPECT_NE(answer->body.find(R"("of":"cold")"), std::string::npos) << answer->body;
  EXPECT_EQ(served_by(first.get()).find("cold:raw="), 0U) << "it may be the empty one's answer";
}

TEST_F(QueryApiTest, AHoleThatIsKnownOnlyWhenTheTurnComesCounts) {
  fill_row();
  hot.lose_until(kNowMs - 1'000);
  ASSERT_TRUE(hot.wait_for_polls());
  hot.answer_held();
  EXPECT_EQ(served_by(waiting.get()).find("cold:raw="), 0U);
}

TEST_F(QueryApiTest, WhatAStoreAnswersThatWasSuspectedMeanwhileIsAskedOfCold) {
  first = door.ask("up");
  ASSERT_TRUE(hot.wait_for_held(1));
  door.coverage().mark_suspect(0);
  ASSERT_TRUE(hot.wait_for_polls());
  ASSERT_TRUE(door.coverage().covered_from(0).has_value()) << "it covers again";
  hot.answer_held();
  EXPECT_EQ(served_by(first.get()).find("cold:raw="), 0U);
}

TEST_F(QueryApiTest, WhereColdIsGoneTooTheCallerIsWarned) {
  cold.fail();
  fill_row();
  hot.wipe();
  ASSERT_TRUE(hot.wait_for_polls());
  hot.open();
  for (Door::Answer* each : {&first, &waiting}) {
    const auto answer = each->get();
    ASSERT_TRUE(answer.has_value());
    EXPECT_EQ(answer->status, 200) << answer->body;
    EXPECT_NE(answer->body.find("cold part missing"), std::string::npos) << answer->body;
  }
}

/// Looked at once, and not again within any test's time.
class SeldomPolledTest : public testing::Test {
 protected:
  void SetUp() override {
    hot.open();
    const auto deadline = std::chrono::steady_clock::now() + kLongest;
    while (!door.coverage().covered_from(0)) {
      ASSERT_LT(std::chrono::steady_clock::now(), deadline);
      std::this_thread::yield();
    }
  }
  std::string answer() { return served_by(door.ask("up").get()); }
  Hot hot;
  Cold cold;
  Door door{hot, cold, std::chrono::hours(1)};
};

// It was gone and back, empty, before anybody asked it: no request had failed, and what it lacked
// went to the caller as all that there is until the next poll.
TEST_F(SeldomPolledTest, AStoreThatCameBackEmptyBetweenTwoPollsIsNotBelieved) {
  EXPECT_EQ(answer().find("hot="), 0U);
  hot.wipe();
  hot.restart();
  EXPECT_EQ(answer().find("cold:raw="), 0U);
  EXPECT_EQ(answer().find("cold:raw="), 0U);
}

// By its heartbeats alone it was the store that it had been, though the answer was an empty one's.
TEST_F(SeldomPolledTest, NorIsOneThatWasFilledAgainBetweenTwoPolls) {
  EXPECT_EQ(answer().find("hot="), 0U);
  hot.hold();
  hot.restart();
  auto empty = door.ask("up");
  ASSERT_TRUE(hot.wait_for_held(1));
  hot.answer_held();
  EXPECT_EQ(served_by(empty.get()).find("cold:raw="), 0U);
  hot.open();
  EXPECT_EQ(answer().find("hot="), 0U) << "it was read anew";
}

// What a suspicion forgets it forgets at once: a customer with a hole was covered in between.
TEST_F(QueryApiTest, ASuspicionForgetsNoHoleOfWhatIsStillCovered) {
  const TimestampMs hole_ms = kNowMs - 1'000;
  hot.lose_until(hole_ms);
  const coverage::Coverage& coverage = door.coverage();
  const auto acme = *CustomerId::parse("acme");
  for (int round = 0; round < 50; ++round) {
    ASSERT_TRUE(hot.wait_for_polls());
    ASSERT_EQ(coverage.covered(0, acme).from, hole_ms);
    const auto before = coverage.covered(0, acme).suspicions;
    std::thread suspecting([this] { door.coverage().mark_suspect(0); });
    TimestampMs least_ms = hole_ms;
    for (auto now = before; now == before;) {
      const auto known = coverage.covered(0, acme);
      now = known.suspicions;
      least_ms = std::min(least_ms, known.from.value_or(hole_ms));
    }
    suspecting.join();
    ASSERT_EQ(least_ms, hole_ms) << "in round " << round;
  }
}

}  // namespace
}  // namespace vigia::router::api::prometheus
