#include "services/router/run/room_count.hpp"

#include <atomic>
#include <future>
#include <mutex>
#include <string>

#include <gtest/gtest.h>

#include "libs/net/server.hpp"
#include "libs/promql/limits.hpp"
#include "libs/promql/parser.hpp"

namespace vigia::router::run {
namespace {

using promql::Dialect;

promql::ExprPtr parsed(const std::string& text) {
  auto expr = promql::parse(text, Dialect::kPrometheus3);
  EXPECT_TRUE(expr.has_value()) << text;
  return expr ? std::move(*expr) : nullptr;
}

promql::EvaluationShape shape(std::uint64_t steps, Dialect dialect = Dialect::kPrometheus3) {
  return {dialect, steps, std::chrono::seconds(15) * static_cast<Duration::rep>(steps - 1)};
}

TEST(QueryRoom, CountedSeriesSayWhatIsAlike) {
  auto sets = json::LabelSets::read(
      R"([{"__name__":"x","node":"a","cpu":"0"},{"__name__":"x","node":"a","cpu":"1"},)"
      R"({"__name__":"x","node":"b","cpu":"0"}])");
  ASSERT_TRUE(sets.has_value());
  const std::vector<std::shared_ptr<const Census>> found{
      std::make_shared<const Census>(Census{3, std::move(*sets)}),
      std::make_shared<const Census>(Census{7, std::nullopt}), nullptr};
  const CountedSeries counted(found, promql::AssumedSeries(100, 50));
  promql::VectorMatching matching;
  matching.scope = promql::VectorMatching::WhichLabels::kOn;
  matching.labels = {"node"};
  EXPECT_EQ(counted.count(0), 3U);
  EXPECT_EQ(counted.groups(0, {"node"}), 2U);
  EXPECT_EQ(counted.alike(0, matching), 2U);
  matching.scope = promql::VectorMatching::WhichLabels::kIgnoring;
  EXPECT_EQ(counted.alike(0, matching), 2U);  // of cpu 0
  // Of a number nothing else is known, of what is not counted what is assumed.
  EXPECT_EQ(counted.count(1), 7U);
  EXPECT_EQ(counted.groups(1, {"node"}), 7U);
  EXPECT_EQ(counted.alike(1, matching), 7U);
  EXPECT_EQ(counted.count(2), 100U);
  EXPECT_EQ(counted.groups(2, {"node"}), 100U);
  EXPECT_EQ(counted.alike(2, matching), 100U);
  EXPECT_EQ(counted.label_bytes(2), 50U);
}

TEST(QueryRoom, GroupingByThousandsOfLabelsIsNotLookedAtForEach) {
  std::string json = "[";
  for (int i = 0; i < 10'000; ++i) {
    json += (i > 0 ? "," : "") + std::string(R"({"n":")") + std::to_string(i) + "\"}";
  }
  auto sets = json::LabelSets::read(json + "]");
  ASSERT_TRUE(sets.has_value());
  const std::vector<std::shared_ptr<const Census>> found{
      std::make_shared<const Census>(Census{10'000, std::move(*sets)})};
  const CountedSeries counted(found, promql::AssumedSeries(1, 0));
  int looked_at = 0;
  for (int i = 0; i < 5'000; ++i) {
    const std::uint64_t groups = counted.groups(0, {"label_" + std::to_string(i)});
    looked_at += groups == 1 ? 1 : 0;
    EXPECT_TRUE(groups == 1 || groups == 10'000U);
  }
  EXPECT_GT(looked_at, 20);
  EXPECT_LT(looked_at, 100);
}

/// A store that counts two series of everything, and takes its time for it by this clock.
class SlowStore final : public net::Handler {
 public:
  SlowStore(ManualClock& clock, Duration each) : clock_(clock), each_(each) {
    net::ServerSettings settings;
    settings.name = "store";
    settings.listen = "127.0.0.1:0";
    auto started = net::Server::start(std::move(settings), *this);
    if (started) server_ = std::move(*started);
  }
  void handle(net::Request request, net::Responder responder) override {
    if (request.path == "/held") {
      const std::lock_guard lock(mutex_);
      return held_.push_back(std::move(responder));
    }
    net::Response response;
    if (request.body.find("last_over_time") != std::string::npos) {
      ++counts_;
      clock_.advance(each_);
      response.status = status_;
      response.body = body_;
    }
    responder.send(std::move(response));
  }
  void answer(int status, std::string body) {
    status_ = status;
    body_ = std::move(body);
  }
  std::string url() const { return server_ ? "http://" + server_->address() : ""; }
  int counts() const { return counts_; }

 private:
  ManualClock& clock_;
  const Duration each_;
  int status_ = 200;
  std::string body_ =
      R"({"status":"success","data":{"resultType":"vector","result":[{"metric":{},"value":[0,"2"]}]}})";
  std::atomic<int> counts_ = 0;
  std::mutex mutex_;
  std::vector<net::Responder> held_;
  std::unique_ptr<net::Server> server_;  // after what its thread reads
};

/// A router's view of one hot store.
class Seen {
 public:
  explicit Seen(const SlowStore& store, const Clock& clock)
      : settings_(settings(store)), stores_(settings_, {*client_, *client_}, metrics_, clock) {}
  ~Seen() { client_->close(); }
  Seen(const Seen&) = delete;
  Seen& operator=(const Seen&) = delete;

  /// Waits for it.
  Result<std::uint64_t> room(const std::string& text, const access::QueryLimits& limits = {}) {
    const std::shared_ptr<const promql::Expr> expr = parsed(text);
    const auto ranges = std::make_shared<const std::vector<promql::TimeRange>>(
        promql::selector_ranges(*expr, {0, 3'600'000}));
    std::promise<Result<std::uint64_t>> found;
    access::Caller caller;
    caller.limits = limits;
    find_room(stores_,
              {caller,
               expr,
               ranges,
               shape(1'500, Dialect::kPrometheus2),
               0,
               std::chrono::seconds(30),
               {}},
              [&found](Result<std::uint64_t> bytes) { found.set_value(std::move(bytes)); });
    return found.get_future().get();
  }
  stores::Stores& stores() { return stores_; }

 private:
  static stores::StoresSettings settings(const SlowStore& store) {
    stores::StoresSettings settings;
    settings.hot_shards = {{"hot-0", store.url()}};
    settings.lanes.usual.at_once_max = 1;
    return settings;
  }

  const stores::StoresSettings settings_;
  service::MetricRegistry metrics_;
  const std::unique_ptr<net::Client> client_ = net::Client::create({});
  stores::Stores stores_;
};

std::string sum_of(int selectors) {
  std::string text;
  for (int i = 0; i < selectors; ++i) text += (i > 0 ? " + x" : "x") + std::to_string(i);
  return text;
}

TEST(QueryRoom, AllCountsOfAQueryHaveOneEnd) {
  ManualClock clock(0);
  const SlowStore store(clock, std::chrono::seconds(8));
  Seen seen(store, clock);
  const auto few = seen.room(sum_of(3));
  EXPECT_TRUE(few.has_value()) << few.error().message;
  EXPECT_EQ(store.counts(), 3);
  const auto many = seen.room(sum_of(60));
  ASSERT_FALSE(many.has_value());
  EXPECT_EQ(many.error().code, ErrorCode::kOverLimit);
  EXPECT_EQ(many.error().message.find("counting the series of this query took too long; "), 0U);
  EXPECT_EQ(store.counts(), 3 + 4) << "the fifth has nothing left";
}

// A deadline would count as a query that the store did not end.
TEST(QueryRoom, ACountThatIsTooSlowIsNoUnendedQuery) {
  ManualClock clock(0);
  SlowStore store(clock, {});
  store.answer(503, R"({"status":"error","errorType":"timeout","error":"query timed out"})");
  const auto room = Seen(store, clock).room("x + y");
  ASSERT_FALSE(room.has_value());
  EXPECT_EQ(room.error().code, ErrorCode::kOverLimit);
  EXPECT_NE(room.error().message.find("counting the series"), std::string::npos);
}

// The turn that is held meanwhile is one of few for all customers.
TEST(QueryRoom, CountsWaitForNoOtherLookUps) {
  ManualClock clock(0);
  const SlowStore store(clock, {});
  std::promise<void> over;
  Seen seen(store, clock);
  upstream::Ask slow(std::nullopt, "/held");
  slow.lane = upstream::Lane::kLookUp;
  seen.stores().hot()[0].ask(
      slow, [&over](const Result<wire::prometheus_api::Envelope>&) { over.set_value(); });
  const auto room = seen.room("x + y");
  EXPECT_TRUE(room.has_value()) << room.error().message;
  EXPECT_EQ(over.get_future().wait_for(std::chrono::seconds(0)), std::future_status::timeout);
}

TEST(QueryRoom, SeriesOverTheCallersOwnAreRefusedAsTheyAreCounted) {
  ManualClock clock{0};
  const SlowStore store(clock, std::chrono::seconds(1));
  Seen seen(store, clock);
  access::QueryLimits limits;
  limits.series = 5;
  // Two of each selection, and of one that stands twice no more.
  EXPECT_TRUE(seen.room("sort(a + b + a)", limits).has_value());
  const auto refused = seen.room("a + b + c + d", limits);
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(access::limit_of(refused.error()), access::QueryLimit::kSeries);
  EXPECT_EQ(store.counts(), 5) << "what comes behind is not counted";
}

}  // namespace
}  // namespace vigia::router::run
