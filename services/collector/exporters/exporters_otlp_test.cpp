// OTLP destinations.
#include <gmock/gmock.h>

#include "services/collector/exporters/testing/exporters_fixture.hpp"

namespace vigia::collector::exporters {
namespace {

using ::testing::HasSubstr;

TEST_F(ExportersTest, SpansGoAsTheyCameToTheirPath) {
  is_otlp_ = true;
  settings_.id = "otlphttp/cold";
  sender_.http.endpoint = destination_.url();
  settings_.signals = {Signal::kTraces, Signal::kLogs};
  begin();
  accept(collector::testing::one_span("cliente-a"), Verdicts(1), Signal::kTraces);
  settle(Signal::kTraces);
  accept(collector::testing::one_record("cliente-a"), Verdicts(1), Signal::kLogs);
  settle(Signal::kLogs);
  const auto requests = destination_.requests();
  ASSERT_EQ(requests.size(), 2U);
  EXPECT_EQ(requests[0].path, "/v1/traces");
  EXPECT_EQ(requests[0].body, collector::testing::one_span("cliente-a"));
  EXPECT_EQ(requests[0].headers.get("x-vigia-customer"), "cliente-a");
  EXPECT_EQ(requests[1].path, "/v1/logs");
}

TEST_F(ExportersTest, OtlpPartialSuccessAndFinalRefusalAreBooked) {  // R-EXP-1, R-EXP-4
  is_otlp_ = true;
  settings_.id = "otlphttp/cold";
  sender_.http.endpoint = destination_.url();
  settings_.signals = {Signal::kTraces};
  // ExportTraceServiceResponse { partial_success { rejected_spans: 1 } }
  destination_.answer(200, "\x0a\x02\x08\x01");
  begin();
  const std::string two =
      collector::testing::one_span("cliente-a") + collector::testing::one_span("cliente-a");
  accept(two, Verdicts(2), Signal::kTraces);
  settle(Signal::kTraces);
  EXPECT_EQ(line(Signal::kTraces).sent, 1U);
  EXPECT_EQ(line(Signal::kTraces).dropped, 1U);
  destination_.answer(400, "no");
  accept(two, Verdicts(2), Signal::kTraces);
  settle(Signal::kTraces);
  EXPECT_EQ(line(Signal::kTraces).dropped, 3U);
  EXPECT_THAT(dead_letters(), HasSubstr("HTTP 400: no"));
}

TEST_F(ExportersTest, OfAMetricsRequestThatADestinationRefusesOnlyTheBadPointIsGivenUp) {
  is_otlp_ = true;
  settings_.id = "otlphttp/cold";
  sender_.http.endpoint = destination_.url();
  destination_.answer_by([](const net::Request& request) {
    net::Response response;
    const auto body = net::decompress("gzip", request.body, 1U << 20U);
    const std::string& plain = body ? *body : request.body;
    response.status = plain.find("poison") == std::string::npos ? 200 : 400;
    return response;
  });
  begin();
  collector::testing::MetricsBody body;
  body.resource("cliente-a");
  for (int i = 0; i < 9; ++i) body.gauge(i == 4 ? "poison" : "good_" + std::to_string(i), kStartMs);
  accept(body.bytes(), Verdicts(9));
  settle();
  EXPECT_EQ(line().sent, 8U);
  EXPECT_EQ(line().dropped, 1U);
}

}  // namespace
}  // namespace vigia::collector::exporters
