// The relay's judgement of answers. The whole way, with Alertmanager and hosts of bad will, is in
// tests/integration/test_channels.py.
#include "services/monitor/internal_port/channel_hooks.hpp"

#include <gtest/gtest.h>

#include "services/monitor/internal_port/customer_message.hpp"

namespace vigia::monitor::internal_port {
namespace {

// C53.
TEST(ChannelHooks, TellAlertmanagerWhetherToTryAgain) {
  for (const int taken : {200, 201, 202, 204, 299}) EXPECT_EQ(passed_status(taken), 200) << taken;
  for (const int later : {429, 500, 502, 503, 504, 599}) {
    EXPECT_EQ(passed_status(later), 503) << later;
  }
  for (const int never : {400, 401, 403, 404, 410, 413, 428, 430, 499}) {
    EXPECT_EQ(passed_status(never), never);
  }
  // Redirections are not followed, and the next try would be redirected too.
  for (const int odd : {0, 100, 199, 300, 301, 302, 307, 308, 399}) {
    EXPECT_EQ(passed_status(odd), 422) << odd;
  }
}

TEST(ChannelHooks, SayInASentenceWhyAMessageDidNotArrive) {
  EXPECT_EQ(failure_of_status(503), "its host answers 503");
  const Error secret{ErrorCode::kUnavailable, "https://x.example/secret: no route to 10.0.0.7"};
  EXPECT_EQ(failure_of_error(secret), "its host cannot be reached");
  EXPECT_EQ(failure_of_error({ErrorCode::kDeadline, "10.0.0.7"}),
            "its host does not answer in time");
}

TEST(CustomerMessage, LeadsToThePortalAndNotToOurMachines) {
  const auto customer = *CustomerId::parse("cliente-a");
  const std::string body =
      R"({"receiver":"customer-cliente-a","alerts":[{"labels":{"node_id":"n 1"},)"
      R"("generatorURL":"http://10.0.0.7:9090/graph?g0.expr=up","startsAt":"2026-11-28T09:00:00Z"},)"
      R"({"labels":{},"generatorURL":"http://10.0.0.7:9090/"}],"commonLabels":{"a":"ñ\"\n"},)"
      R"("externalURL":"http://alerts.inside:9093","truncatedAlerts":2,"odd":[1.5,true,null]})";
  EXPECT_EQ(*customer_message(body, customer, "https://monitor.example"),
            R"({"receiver":"customer-cliente-a","alerts":[{"labels":{"node_id":"n 1"},)"
            R"("generatorURL":"https://monitor.example/nodes/cliente-a/n%201",)"
            R"("startsAt":"2026-11-28T09:00:00Z"},)"
            R"({"labels":{},"generatorURL":"https://monitor.example/alerts"}],)"
            R"("commonLabels":{"a":"ñ\"\n"},)"
            R"("externalURL":"https://monitor.example/alerts","truncatedAlerts":2,)"
            R"("odd":[1.5,true,null]})");
  const auto without = *customer_message(body, customer, "");
  EXPECT_NE(without.find(R"("externalURL":"")"), std::string::npos);
  EXPECT_EQ(without.find("10.0.0.7"), std::string::npos);
  EXPECT_EQ(customer_message("[]", customer, "").error().code, ErrorCode::kInvalid);
}

}  // namespace
}  // namespace vigia::monitor::internal_port
