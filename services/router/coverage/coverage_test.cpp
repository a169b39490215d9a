#include "services/router/coverage/coverage.hpp"

#include <condition_variable>
#include <mutex>
#include <new>

#include <gtest/gtest.h>

#include "libs/base/fault.hpp"
#include "libs/net/server.hpp"

namespace vigia::router::coverage {
namespace {

/// Throws at the first looks at it.
class FailingClock final : public Clock {
 public:
  explicit FailingClock(int failures) : failures_(failures) {}

  std::int64_t wall_ns() const override { return SystemClock().wall_ns(); }
  TimePoint steady() const override {
    const std::lock_guard lock(mutex_);
    ++looks_;
    looked_.notify_all();
    if (looks_ <= failures_) throw std::bad_alloc();
    return SystemClock().steady();
  }
  bool wait_for_looks(int count) const {
    std::unique_lock lock(mutex_);
    return looked_.wait_for(lock, std::chrono::seconds(30), [&] { return looks_ >= count; });
  }

 private:
  const int failures_;
  mutable std::mutex mutex_;
  mutable std::condition_variable looked_;
  mutable int looks_ = 0;
};

TEST(CoverageTest, AThrowCostsOnePoll) {
  constexpr int kFailures = 3;
  const SystemClock clock;
  const FailingClock failing(kFailures);
  CoverageSettings settings;
  settings.heartbeat_poll = std::chrono::milliseconds(1);
  service::MetricRegistry metrics;
  const access::ByteShares shares(access::ByteShareSettings{});
  const spool::Spool spool({}, metrics, clock);
  upstream::Readers readers;
  const auto client = net::Client::create({});
  // Nobody listens there: each poll ends at its first question.
  std::vector<upstream::Upstream> shards;
  shards.emplace_back(upstream::UpstreamClients{*client, *client},
                      upstream::UpstreamSettings{"hot-0", "http://127.0.0.1:9", "", 1U << 20U, {}},
                      upstream::AnswerKeeping{shares, spool, readers}, metrics, clock);
  const auto before = fault_count();
  {
    const Coverage coverage(settings, {{&shards.front(), "hot-0"}}, failing);
    EXPECT_TRUE(failing.wait_for_looks(kFailures + 2)) << "it goes on after a fault";
    EXPECT_FALSE(coverage.covered_from(0));
  }
  EXPECT_EQ(fault_count(), before + kFailures);
}

/// A store that counts what it is asked, and says nothing, or its version and that it knows no
/// more.
class CountingStore final : public net::Handler {
 public:
  explicit CountingStore(std::string version) : version_(std::move(version)) {
    net::ServerSettings settings;
    settings.name = "store";
    settings.listen = "127.0.0.1:0";
    auto server = net::Server::start(std::move(settings), *this);
    EXPECT_TRUE(server.has_value());
    server_ = std::move(*server);
  }
  ~CountingStore() override { speak(); }
  CountingStore(const CountingStore&) = delete;
  CountingStore& operator=(const CountingStore&) = delete;

  std::string url() const { return "http://" + server_->address(); }
  void handle(net::Request request, net::Responder responder) override {
    const std::lock_guard lock(mutex_);
    ++asked_;
    came_.notify_all();
    if (is_silent_) {
      unanswered_.push_back(std::move(responder));
      return;
    }
    net::Response response;
    response.status = request.path.ends_with("/buildinfo") ? 200 : 503;
    response.body = R"({"status":"success","data":{"version":")" + version_ + "\"}}";
    responder.send(std::move(response));
  }
  bool wait_for(int count) const {
    std::unique_lock lock(mutex_);
    return came_.wait_for(lock, std::chrono::seconds(30), [&] { return asked_ >= count; });
  }
  /// What waits is let go, and what comes is answered.
  void speak() {
    const std::lock_guard lock(mutex_);
    is_silent_ = false;
    unanswered_.clear();
  }
  int asked() const {
    const std::lock_guard lock(mutex_);
    return asked_;
  }

 private:
  const std::string version_;
  mutable std::mutex mutex_;
  mutable std::condition_variable came_;
  int asked_ = 0;
  bool is_silent_ = version_.empty();
  std::vector<net::Responder> unanswered_;
  std::unique_ptr<net::Server> server_;
};

/// What is polled, of stores that a test has.
class PolledStores {
 public:
  explicit PolledStores(const std::vector<const CountingStore*>& stores) {
    settings_.heartbeat_poll = std::chrono::milliseconds(1);
    upstreams_.reserve(stores.size());
    std::vector<HotStore> all;
    for (const CountingStore* store : stores) {
      upstreams_.emplace_back(upstream::UpstreamClients{*client_, *client_},
                              upstream::UpstreamSettings{"hot", store->url(), "", 1U << 20U, {}},
                              upstream::AnswerKeeping{shares_, spool_, readers_}, metrics_, clock_);
      all.push_back({&upstreams_.back(), "hot"});
    }
    coverage_.emplace(settings_, std::move(all), clock_);
  }
  const Coverage& coverage() const { return *coverage_; }

 private:
  const SystemClock clock_;
  CoverageSettings settings_;
  service::MetricRegistry metrics_;
  const access::ByteShares shares_{access::ByteShareSettings{}};
  const spool::Spool spool_{{}, metrics_, clock_};
  upstream::Readers readers_;
  const std::unique_ptr<net::Client> client_ = net::Client::create({});
  std::vector<upstream::Upstream> upstreams_;
  std::optional<Coverage> coverage_;
};

// One after the other, a few silent ones made what is known of all others too old to trust.
TEST(CoverageTest, ASilentStoreKeepsNobodyFromKnowingTheOthers) {
  CountingStore silent("");
  const CountingStore answers("3.5.0");
  const PolledStores polled({&silent, &answers});
  constexpr int kPolls = 20;
  EXPECT_TRUE(answers.wait_for(kPolls));
  EXPECT_EQ(silent.asked(), 1) << "that is still under way";
  silent.speak();
}

// While a pair goes from 2.x to 3.x a query may go to either.
TEST(CoverageTest, TheDialectIsThatOfTheOldest) {
  const CountingStore newer("3.5.0");
  const CountingStore older("2.42.0");
  const PolledStores polled({&newer, &older});
  EXPECT_TRUE(newer.wait_for(4));
  EXPECT_TRUE(older.wait_for(4));
  EXPECT_EQ(polled.coverage().dialect(), promql::Dialect::kPrometheus2);
  EXPECT_EQ(polled.coverage().version(0), "3.5.0");
  EXPECT_EQ(polled.coverage().version(1), "2.42.0");
  EXPECT_EQ(polled.coverage().version(), "2.42.0");
}

}  // namespace
}  // namespace vigia::router::coverage
