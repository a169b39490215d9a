#include "services/router/api/loki/tail.hpp"

#include <variant>

#include <gtest/gtest.h>

#include "libs/base/check.hpp"
#include "services/router/testing/served_gateway.hpp"

namespace vigia::router::api::loki {
namespace {

constexpr std::string_view kCustomers = R"(
customers:
  - id: cliente-a
    tokens: [{token: lasting, scope: read}, {token: brief, scope: read, expires: "2026-01-01T00:10:00Z"}]
)";
constexpr std::int64_t kNewYearNs = 1'767'225'600'000'000'000;  // 2026-01-01T00:00:00Z

/// A tail whose storage never answers, at a time that the test sets.
class TailTest : public ::testing::Test {
 protected:
  std::shared_ptr<Tail> open(const std::string& token) {
    net::RequestHead head;
    head.headers.add("authorization", "Bearer " + token);
    const auto caller = access_.identify(head);
    CHECK(caller.has_value());
    net::Request request;
    request.method = "GET";
    request.query = "query=%7Bservice_name%3D%22shop%22%7D";
    const auto parameters = request::Parameters::read(request);
    CHECK(parameters.has_value());
    auto query = read_query(*caller, *parameters);
    CHECK(query.has_value());
    auto question = read_question(std::move(*query), *parameters, clock_.wall_ms());
    CHECK(question.has_value());
    auto place = places_.enter(caller->customer);
    CHECK(place.has_value());
    return std::make_shared<Tail>(
        TailParts{stores_, threads_, access_, metrics_.counter("lines", "", {}),
                  metrics_.counter("dropped", "", {})},
        TailQuestion{std::move(*question)}, std::move(head), std::move(*place), 0);
  }
  static net::WebSocketClose end_of(Tail& tail) {
    const auto said = tail.next();
    const auto* end = std::get_if<net::WebSocketClose>(&said);
    return end == nullptr ? net::WebSocketClose{0, "none"} : *end;
  }

  ~TailTest() override {
    client_->close();
    stores_.stop_reading();
  }

  ManualClock clock_{kNewYearNs};
  testing::RecordingStore store_{503, "{}"};
  service::MetricRegistry metrics_;
  testing::FixedDirectory directory_{kCustomers};
  const stores::StoresSettings settings_ = [this] {
    stores::StoresSettings settings;
    settings.cold_url = store_.url();
    return settings;
  }();
  const std::unique_ptr<net::Client> client_ = net::Client::create({});
  stores::Stores stores_{settings_, {*client_, *client_}, metrics_, clock_};
  const access::Access access_{directory_, clock_};
  QueryThreads threads_;
  access::InFlight places_{1, stores_.shares()};
};

TEST_F(TailTest, AnHourIsTheLongest) {
  const auto tail = open("lasting");
  clock_.advance(std::chrono::minutes(59));
  tail->pulse();
  EXPECT_EQ(end_of(*tail).code, 0);
  clock_.advance(std::chrono::minutes(1));
  tail->pulse();
  const auto end = end_of(*tail);
  EXPECT_EQ(end.code, net::websocket_code::kInternal);
  EXPECT_EQ(end.reason, "reached tail max duration limit");
}

TEST_F(TailTest, ATokenThatExpiresEndsIt) {
  const auto tail = open("brief");
  clock_.advance(std::chrono::minutes(9));
  tail->pulse();
  EXPECT_EQ(end_of(*tail).code, 0);
  clock_.advance(std::chrono::minutes(2));
  tail->pulse();
  EXPECT_EQ(end_of(*tail).code, net::websocket_code::kPolicy);
}

TEST_F(TailTest, ItsEndGivesThePlaceBack) {
  const auto customer = CustomerId::parse("cliente-a").value();
  const auto tail = open("lasting");
  EXPECT_FALSE(places_.enter(customer).has_value());
  EXPECT_FALSE(tail->is_over());
  tail->ended();
  EXPECT_TRUE(tail->is_over());
  EXPECT_TRUE(places_.enter(customer).has_value());
}

}  // namespace
}  // namespace vigia::router::api::loki
