#include "services/router/api/loki/log_run.hpp"

#include <atomic>
#include <future>
#include <thread>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "libs/base/check.hpp"
#include "services/router/api/loki/metric_run.hpp"
#include "services/router/testing/questions.hpp"
#include "services/router/testing/served_gateway.hpp"

namespace vigia::router::api::loki {
namespace {

using ::testing::HasSubstr;

constexpr std::int64_t kNs = 1'664'088'804'000'000'000;
constexpr int kLines = 100;

/// Lines of the customer that asks, all in one page.
class PageStore final : public net::Handler {
 public:
  PageStore() {
    net::ServerSettings settings;
    settings.name = "test";
    settings.listen = "127.0.0.1:0";
    settings.loops = 1;
    auto started = net::Server::start(std::move(settings), *this);
    CHECK(started.has_value());
    server_ = std::move(*started);
  }
  std::string url() const { return "http://" + server_->address(); }
  int pages() const { return pages_; }

  void handle(net::Request request, net::Responder responder) override {
    net::Response response;
    response.headers.add("content-type", "application/json");
    response.body = "{}";
    if (request.path == "/api/v1/logs") {
      response.body = page_of(request.headers.get("x-vigia-customer"));
      ++pages_;
    }
    responder.send(std::move(response));
  }

 private:
  static std::string page_of(std::string_view customer) {
    std::string data;
    for (int i = 0; i < kLines; ++i) {
      data += fmt::format(
          R"({}{{"time_ns":"{}","severity":"INFO","body":"x","trace_id":"","span_id":"",)"
          R"("attributes":{{}},"resource":{{"customer.id":"{}"}}}})",
          i == 0 ? "" : ",", kNs + i, customer);
    }
    return R"({"status":"success","data":[)" + data + "]}";
  }

  std::atomic<int> pages_{0};
  std::unique_ptr<net::Server> server_;  // after what its thread reads
};

/// Moves on by a second whenever it is looked at, once that is switched on.
class LookedAtClock final : public Clock {
 public:
  std::int64_t wall_ns() const override { return kNs; }
  TimePoint steady() const override {
    return TimePoint{std::chrono::seconds(is_moving ? ++seconds_ : seconds_.load())};
  }
  std::atomic<bool> is_moving{false};

 private:
  mutable std::atomic<std::int64_t> seconds_{1};
};

/// Answers each request by a LogRun for the customer of its path; where that has a parameter
/// `query`, by that metric query.
class LogRunTest : public ::testing::Test, public net::Handler {
 protected:
  LogRunTest() {
    settings_.hot_shards = {{"hot-0", "http://127.0.0.1:9"}};
    settings_.cold_url = store_.url();
    stores_ = std::make_unique<stores::Stores>(
        settings_, upstream::UpstreamClients{*client_, *client_}, metrics_, clock_);
    net::ServerSettings settings;
    settings.name = "test";
    settings.listen = "127.0.0.1:0";
    settings.loops = 1;
    auto started = net::Server::start(std::move(settings), *this);
    CHECK(started.has_value());
    server_ = std::move(*started);
  }
  ~LogRunTest() override {
    client_->close();
    stores_->stop_reading();
  }

  void handle(net::Request request, net::Responder responder) override {
    access::Caller caller;
    caller.customer = CustomerId::parse(request.path.substr(1)).value();
    request::Exchange exchange(std::move(responder), {"/", error_form}, metrics_, clock_);
    if (!request.query.empty()) {
      const auto asked = request::Parameters::read(request).value();
      auto sampled = read_metric_moment(read_query(caller, asked).value(), asked, kNs / 1'000'000);
      CHECK(sampled.has_value());
      return answer_metrics(*stores_, *sampled, std::move(exchange));
    }
    const auto parameters = testing::parameters_of({{"query", R"({service_name="x"})"},
                                                    {"start", std::to_string(kNs)},
                                                    {"end", std::to_string(kNs + kLines)}});
    auto query = read_query(caller, parameters);
    CHECK(query.has_value());
    auto question = read_question(std::move(*query), parameters, clock_.wall_ms());
    CHECK(question.has_value());
    std::make_shared<LogRun>(*stores_, *threads_, std::move(*question), std::move(exchange))
        ->start();
  }

  using Answer = std::future<net::ClientResponse>;
  Answer ask(const std::string& customer) {
    net::ClientRequest request;
    request.url = "http://" + server_->address() + "/" + customer;
    request.timeout = std::chrono::seconds(60);
    auto promise = std::make_shared<std::promise<net::ClientResponse>>();
    auto answer = promise->get_future();
    asking_->send(std::move(request), [promise](Result<net::ClientResponse> found) {
      CHECK(found.has_value());
      promise->set_value(std::move(*found));
    });
    return answer;
  }

  /// Keeps a customer's turn until the promise is kept.
  std::shared_ptr<std::promise<void>> occupy(const std::string& customer) {
    auto release = std::make_shared<std::promise<void>>();
    std::promise<void> begun;
    threads_->run(customer, [&begun, release] {
      begun.set_value();
      release->get_future().wait();
    });
    begun.get_future().wait();
    return release;
  }

  void await_pages(int count) const {
    while (store_.pages() < count) std::this_thread::yield();
  }

  PageStore store_;
  LookedAtClock clock_;
  stores::StoresSettings settings_;
  service::MetricRegistry metrics_;
  const std::unique_ptr<net::Client> client_ = net::Client::create({});
  const std::unique_ptr<net::Client> asking_ = net::Client::create({});
  std::unique_ptr<stores::Stores> stores_;
  std::unique_ptr<QueryThreads> threads_ = std::make_unique<QueryThreads>();
  std::unique_ptr<net::Server> server_;
};

// However long a customer's stages take: its pages wait behind each other, and for nobody else.
TEST_F(LogRunTest, APageIsWorkedOnInItsCustomersTurn) {
  const auto release = occupy("acme");
  Answer waiting = ask("acme");
  await_pages(1);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(ask("other").get().status, 200);
  EXPECT_EQ(waiting.wait_for(std::chrono::seconds(0)), std::future_status::timeout);
  // While it waits it is counted: all the others are answered and read.
  EXPECT_GT(stores_->shares().bytes(), 100U * kLines);
  release->set_value();
  const auto answer = waiting.get();
  EXPECT_EQ(answer.status, 200);
  EXPECT_THAT(answer.body, HasSubstr(fmt::format(R"("totalLinesProcessed":{})", kLines)));
}

TEST_F(LogRunTest, EndsAmongAPagesLinesWithItsTime) {
  const auto release = occupy("acme");
  Answer waiting = ask("acme");
  await_pages(1);
  clock_.is_moving = true;
  release->set_value();
  const auto answer = waiting.get();
  EXPECT_EQ(answer.status, 400);
  EXPECT_THAT(answer.body, HasSubstr("the query took too long: it looked at "));
  EXPECT_THAT(answer.body, ::testing::Not(HasSubstr("it looked at 0 lines")));
}

// What reads no line is looked at, too.
TEST_F(LogRunTest, AMetricQueryEndsAmongItsPartsWithItsTime) {
  std::string query = "vector(1)";
  for (int i = 0; i < 100; ++i) query += "%2Bvector(1)";
  EXPECT_EQ(ask("acme?query=" + query).get().status, 200);
  clock_.is_moving = true;
  const auto answer = ask("acme?query=" + query).get();
  EXPECT_EQ(answer.status, 400);
  EXPECT_THAT(answer.body, HasSubstr("the query took too long: it looked at 0 lines"));
}

}  // namespace
}  // namespace vigia::router::api::loki
