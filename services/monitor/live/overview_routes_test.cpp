// What the paths of the live state say, and to whom.
#include "services/monitor/live/overview_routes.hpp"

#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "libs/net/form.hpp"
#include "services/monitor/live/limits.hpp"
#include "services/monitor/nodes/nodes.hpp"
#include "services/monitor/testing/neighbour.hpp"
#include "services/monitor/testing/rest_interface.hpp"

namespace vigia::monitor::live {
namespace {

using testing::answer_with;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

const CustomerId kA = *CustomerId::parse("cliente-a");
const CustomerId kB = *CustomerId::parse("cliente-b");
const NodeId kWeb = *NodeId::parse("web-01");
constexpr std::string_view kNoSeries =
    R"({"status":"success","data":{"resultType":"vector","result":[]}})";
constexpr std::string_view kNoCurves =
    R"({"status":"success","data":{"resultType":"matrix","result":[]}})";

std::string alert_of(const std::string& labels, const std::string& id,
                     const std::string& annotations, const std::string& status) {
  return R"({"fingerprint":")" + id + R"(","startsAt":"2026-11-25T02:00:00Z","labels":{)" + labels +
         R"(},"annotations":{)" + annotations + R"(},"status":{)" + status + "}}";
}

class OverviewRoutes : public ::testing::Test {
 protected:
  OverviewRoutes() {
    add_node(kA, kWeb);
    add_node(kB, kWeb);
    add_overview_routes(rest_.table(), {rest_.database(),
                                        rest_.clock(),
                                        poller_,
                                        router_,
                                        records_,
                                        {.node_down_for = std::chrono::minutes(2),
                                         .is_provider_told = true,
                                         .kept = std::chrono::hours(24 * 400),
                                         .collector_grpc = "grpc.example:4317",
                                         .collector_http = "https://http.example",
                                         .router = "https://router.example"}});
  }
  void add_node(const CustomerId& customer, const NodeId& id) {
    ASSERT_TRUE(rest_.database().write([&](store::DatabaseConnection& c) {
      return nodes::register_node(
          nodes::NodeRow{customer, id, "", "", "10.0.0.1:8080", false, testing::kNowMs, 0, 1}, c);
    }));
  }
  /// As Prometheus (through the router), the hot store and Alertmanager.
  net::Response answer(const net::Request& request) {
    const auto form =
        net::parse_form(request.path == "/api/v2/alerts" ? request.query : request.body);
    if (request.path == "/api/v1/query") return answer_with(router_status_, std::string(kNoSeries));
    if (request.path == "/api/v1/query_range") {
      return answer_with(router_status_, std::string(kNoCurves));
    }
    std::string all;
    for (const auto& [name, value] : *form) {
      if (name != "filter") continue;
      for (const auto& [whose, alert] : alerts_) {
        const bool is_asked =
            whose.empty() ? value == R"(customer_id="")" : value.find(whose) != std::string::npos;
        if (is_asked) all += (all.empty() ? "" : ",") + alert;
      }
    }
    return answer_with(alertmanager_status_, "[" + all + "]");
  }
  void add_alert(const std::string& customer, const std::string& id,
                 const std::string& annotations = R"("summary":"s","summary_en":"e")",
                 const std::string& status = R"("state":"active")") {
    const std::string labels =
        R"("alertname":"CustomerNodeDown","severity":"critical")" +
        (customer.empty() ? std::string()
                          : R"(,"customer_id":")" + customer + R"(","node_id":"n-)" + id + "\"");
    alerts_.emplace_back(customer, alert_of(labels, id, annotations, status));
  }
  /// The ids of the alerts that a caller is told, after a look.
  std::multiset<std::string> told(const std::string& caller, const std::string& path = "/alerts") {
    std::multiset<std::string> ids;
    const auto answer = rest_.call(caller, "GET", path);
    for (const auto& alert : answer.body["alerts"].items()) {
      ids.insert(alert["id"].text().value_or("?"));
    }
    return ids;
  }

  int router_status_ = 200;
  int alertmanager_status_ = 200;
  std::vector<std::pair<std::string, std::string>> alerts_;  ///< whose, and how it is told
  testing::RestInterface rest_;
  testing::Neighbour neighbour_{[this](const net::Request& request) { return answer(request); }};
  std::unique_ptr<net::Client> client_ = net::Client::create({});
  service::MetricRegistry metrics_;
  RouterQueries router_{*client_, neighbour_.url(), "token"};
  OwnRecords records_{router_, std::chrono::seconds(30)};
  LivePoller poller_{{rest_.database(), router_, *client_, rest_.clock(), metrics_},
                     {neighbour_.url(), kLiveInterval, {}}};
};

TEST_F(OverviewRoutes, BeforeTheFirstLookAlertsAreNotKnownAndNotNone) {
  const auto answer = rest_.call("operator", "GET", "/alerts");
  EXPECT_EQ(answer.status, 503);
  EXPECT_EQ(answer.body["error"].text(), "unavailable");
  EXPECT_EQ(rest_.call("cliente-a", "GET", "/alerts").status, 503);
  EXPECT_EQ(rest_.call("operator", "GET", "/overview").status, 200) << "it says what is missing";
}

TEST_F(OverviewRoutes, EachCallerIsToldItsOwnAlerts) {
  add_alert("cliente-a", "of-a");
  add_alert("cliente-b", "of-b");
  add_alert("", "ours");
  poller_.refresh();
  EXPECT_EQ(told("operator"), (std::multiset<std::string>{"of-a", "of-b", "ours"}));
  EXPECT_EQ(told("operator", "/alerts?customer_id=cliente-b"), std::multiset<std::string>{"of-b"});
  EXPECT_EQ(told("cliente-a"), std::multiset<std::string>{"of-a"});
  EXPECT_EQ(told("cliente-b-token"), std::multiset<std::string>{"of-b"});
}

TEST_F(OverviewRoutes, AnothersAlertsAreNeitherToldNorCounted) {
  add_alert("cliente-a", "of-a");
  for (std::size_t i = 0; i <= kAlertsOfCustomerMax; ++i) {
    add_alert("cliente-b", "b" + std::to_string(i));
  }
  poller_.refresh();
  const auto answer = rest_.call("cliente-a", "GET", "/alerts?customer_id=cliente-b");
  EXPECT_EQ(answer.status, 200);
  EXPECT_THAT(answer.body["alerts"].items(), IsEmpty());
  EXPECT_EQ(answer.body["left_out"].integer(), 0);
  EXPECT_EQ(rest_.call("cliente-a", "GET", "/alerts").body["left_out"].integer(), 0);
  EXPECT_EQ(rest_.call("cliente-b", "GET", "/alerts").body["left_out"].integer(), 1);
  EXPECT_EQ(rest_.call("operator", "GET", "/alerts").body["left_out"].integer(), 1);
}

TEST_F(OverviewRoutes, ACustomerIdThatIsNoneIsRefused) {
  poller_.refresh();
  EXPECT_EQ(rest_.call("operator", "GET", "/alerts?customer_id=no%20such").status, 400);
}

TEST_F(OverviewRoutes, AnAlertIsToldWithItsStateAndInBothLanguages) {
  add_alert("cliente-a", "1");
  add_alert("cliente-a", "2", R"("summary":"solo")", R"("state":"suppressed","silencedBy":["x"])");
  add_alert("cliente-a", "3", R"("summary":"s")", R"("state":"suppressed","inhibitedBy":["x"])");
  add_alert("", "4");
  poller_.refresh();
  const auto answer = rest_.call("operator", "GET", "/alerts");
  std::map<std::string, std::string> states;
  for (const auto& alert : answer.body["alerts"].items()) {
    states[*alert["id"].text()] = *alert["state"].text();
    if (alert["id"].text() == "1") {
      EXPECT_EQ(alert["summary_en"].text(), "e");
      EXPECT_EQ(alert["node_id"].text(), "n-1");
      EXPECT_EQ(alert["labels"]["severity"].text(), "critical");
      EXPECT_EQ(alert["started_at"].text(), "2026-11-25T02:00:00Z");
    }
    if (alert["id"].text() == "2") {
      EXPECT_EQ(alert["summary_en"].text(), "solo");
    }
    if (alert["id"].text() == "4") {
      EXPECT_TRUE(alert["customer_id"].is_null());
    }
  }
  EXPECT_EQ(states, (std::map<std::string, std::string>{
                        {"1", "firing"}, {"2", "silenced"}, {"3", "inhibited"}, {"4", "firing"}}));
}

TEST_F(OverviewRoutes, WhatIsKnownOfAlertsCountsForAWhileAfterAlertmanagerIsGone) {
  add_alert("cliente-a", "of-a");
  poller_.refresh();
  alertmanager_status_ = 500;
  rest_.clock().advance(kLiveInterval);
  poller_.refresh();
  EXPECT_EQ(told("cliente-a"), std::multiset<std::string>{"of-a"});
  rest_.clock().advance(std::chrono::minutes(10));
  poller_.refresh();
  EXPECT_EQ(rest_.call("cliente-a", "GET", "/alerts").status, 503) << "silence is not no alert";
}

TEST_F(OverviewRoutes, TheOverviewOfACustomerHasThatCustomerAlone) {
  poller_.refresh();
  const auto of = [&](const std::string& caller) {
    std::vector<std::string> ids;
    const auto answer = rest_.call(caller, "GET", "/overview");
    for (const auto& one : answer.body["customers"].items()) {
      ids.push_back(one["id"].text().value_or("?"));
    }
    return ids;
  };
  EXPECT_THAT(of("operator"), ElementsAre("cliente-a", "cliente-b"));
  EXPECT_THAT(of("cliente-a"), ElementsAre("cliente-a"));
}

TEST_F(OverviewRoutes, TheInstallationIsShownAsItIsSetUp) {
  const auto answer = rest_.call("cliente-a", "GET", "/system");
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.body["node_down_for"].text(), "2m");
  EXPECT_EQ(answer.body["is_shortened"].boolean(), false);
  EXPECT_EQ(answer.body["provider_is_told"].boolean(), true);
  EXPECT_EQ(answer.body["kept_days"].integer(), 400);
  EXPECT_EQ(answer.body["addresses"]["collector_grpc"].text(), "grpc.example:4317");
  EXPECT_EQ(answer.body["addresses"]["router"].text(), "https://router.example");
}

TEST_F(OverviewRoutes, CurvesAreOfAWatchedNodeOfTheCallersCustomer) {
  const std::string path = "/customers/cliente-a/nodes/web-01/metrics";
  const auto status_of = [&](const std::string& caller, const std::string& asked) {
    return rest_.call(caller, "GET", asked).status;
  };
  EXPECT_EQ(status_of("cliente-a", path), 200);
  EXPECT_EQ(status_of("operator", path + "?range=24h"), 200);
  EXPECT_EQ(status_of("cliente-b", path), 404) << "as if it did not exist";
  EXPECT_EQ(status_of("cliente-a", path + "?range=3h"), 400);
  EXPECT_EQ(status_of("cliente-a", "/customers/cliente-a/nodes/none/metrics"), 404);
  EXPECT_EQ(status_of("cliente-a", "/customers/cliente-a/nodes/no%20id/metrics"), 404);
  ASSERT_TRUE(rest_.database().write([](store::DatabaseConnection& c) {
    return nodes::retire_node(kA, kWeb, testing::kNowMs, c);
  }));
  EXPECT_EQ(status_of("cliente-a", path), 404) << "it is watched no more";
}

TEST_F(OverviewRoutes, CurvesThatTheRouterDoesNotAnswerAreMissingAndNotEmpty) {
  router_status_ = 503;
  const auto answer = rest_.call("cliente-a", "GET", "/customers/cliente-a/nodes/web-01/metrics");
  EXPECT_EQ(answer.status, 503);
  EXPECT_THAT(answer.text, HasSubstr("the router does not answer"));
}

}  // namespace
}  // namespace vigia::monitor::live
