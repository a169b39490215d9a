#include "services/router/api/prometheus/federate_api.hpp"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "services/router/testing/served_gateway.hpp"

namespace vigia::router::api::prometheus {
namespace {

using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using testing::RecordingStore;
using testing::ServedGateway;

constexpr const char* kPath = "/federate";

/// As a store would answer in which the fence did not hold.
std::string of_three(const std::string& from) {
  std::string page = "# TYPE up untyped\n";
  for (const std::string own : {"a", "b", "c"}) {
    page += "up{customer_id=\"cliente-" + own + "\",from=\"" + from + "\",instance=\"\"} 1 5\n";
  }
  return page;
}

std::string page_of(const std::string& own, const std::string& from) {
  return "# TYPE up untyped\nup{customer_id=\"cliente-" + own + "\",from=\"" + from +
         "\",instance=\"\"} 1 5\n";
}

stores::StoresSettings with_hot(std::string url) {
  stores::StoresSettings settings;
  settings.hot_shards = {{"hot-0", std::move(url)}};
  return settings;
}

net::ClientResponse ask(ServedGateway& gateway, const std::string& query,
                        const std::string& token = "read-a") {
  return gateway.ask("GET", kPath + query, {{"authorization", "Bearer " + token}});
}

TEST(FederateApi, EverySelectorIsFencedAndThePageCut) {
  const RecordingStore hot(404, "{}", {{kPath, of_three("hot")}});
  ServedGateway gateway(with_hot(hot.url()));
  for (const std::string own : {"a", "b", "c"}) {
    const auto answer = ask(gateway, "?match[]=up&match[]=%7Bjob%3D~%22x.%2A%22%7D", "read-" + own);
    EXPECT_EQ(answer.status, 200) << answer.body;
    EXPECT_THAT(answer.body, EndsWith("\n" + page_of(own, "hot")));
    EXPECT_THAT(answer.body, Not(HasSubstr(own == "a" ? "cliente-b" : "cliente-a")));
    EXPECT_EQ(answer.headers.get("content-type"), "text/plain; version=0.0.4; charset=utf-8");
    EXPECT_THAT(std::string(answer.headers.get("x-vigia-served")), HasSubstr("hot="));
  }
  EXPECT_THAT(ask(gateway, "?match[]=up", "op").body, EndsWith(of_three("hot")));
  EXPECT_THAT(
      hot.asked_at(kPath),
      ElementsAre(
          R"(?match[]=up{customer_id="cliente-a"}&match[]={job=~"x.*",customer_id="cliente-a"})",
          R"(?match[]=up{customer_id="cliente-b"}&match[]={job=~"x.*",customer_id="cliente-b"})",
          R"(?match[]=up{customer_id="cliente-c"}&match[]={job=~"x.*",customer_id="cliente-c"})",
          "?match[]=up"));
}

// The page of a Prometheus that reads storage has what lies on its own disk: nothing.
TEST(FederateApi, TheLongTermStoreIsNotAskedAndWhatHotMayLackIsTold) {
  const RecordingStore hot(404, "{}", {{kPath, of_three("hot")}});
  const RecordingStore query(404, "{}", {{kPath, ""}});
  auto settings = with_hot(hot.url());
  settings.query_url = query.url();
  ServedGateway gateway(settings);
  const auto answer = ask(gateway, "?match[]=up");
  EXPECT_EQ(answer.body,
            "# warning: hot part may be incomplete: it is not known that the hot store holds the "
            "last minutes\n" +
                page_of("a", "hot"));
  EXPECT_THAT(query.asked_at(kPath), IsEmpty());
  settings.hot_shards.front().url = "http://127.0.0.1:9";
  ServedGateway without(std::move(settings));
  EXPECT_EQ(ask(without, "?match[]=up").status, 503);
}

TEST(FederateApi, ErrorsAreALineOfText) {
  const RecordingStore hot(404, "{}", {{kPath, "<html>\n"}});
  ServedGateway gateway(with_hot(hot.url()));
  const auto expect = [](const net::ClientResponse& answer, int status, const std::string& text) {
    EXPECT_EQ(answer.status, status) << answer.body;
    EXPECT_THAT(answer.body, HasSubstr(text));
    EXPECT_THAT(answer.body, Not(HasSubstr("{\"")));
    EXPECT_EQ(answer.headers.get("content-type"), "text/plain; charset=utf-8");
  };
  expect(ask(gateway, ""), 400, "no match[] parameter provided\n");
  expect(ask(gateway, "?match[]=up%7B"), 400, "invalid parameter \"match[]\": 1:4: parse error");
  expect(ask(gateway, "?match[]=up%5B5m%5D"), 400, "expected a plain series selector");
  expect(ask(gateway, "?match[]=up%7B__rollup__%3D%22x%22%7D"), 400, "is the router's own");
  expect(ask(gateway, "?match[]=up", "nobody's"), 401, "\n");
  expect(ask(gateway, "?match[]=up", "ingest-a"), 403, "\n");
  const auto unreadable = ask(gateway, "?match[]=up");
  expect(unreadable, 503, "\n");
  EXPECT_EQ(gateway.ask("POST", kPath, {{"authorization", "Bearer read-a"}}).status, 405);
}

}  // namespace
}  // namespace vigia::router::api::prometheus
