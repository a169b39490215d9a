#include "services/router/request/parameters.hpp"

#include <gtest/gtest.h>

namespace vigia::router::request {
namespace {

net::Request request(std::string method, std::string query, std::string body = "",
                     std::string type = "application/x-www-form-urlencoded") {
  net::Request made;
  made.method = std::move(method);
  made.query = std::move(query);
  made.body = std::move(body);
  made.headers.add("content-type", type);
  return made;
}

TEST(Parameters, UrlAndBodyAreOneList) {  // C12
  const auto read =
      Parameters::read(request("POST", "match[]=a", "match%5B%5D=up&match[]=%7Bjob%3D%22x%22%7D"));
  ASSERT_TRUE(read.has_value());
  EXPECT_EQ(read->all("match[]"), (std::vector<std::string>{"a", "up", "{job=\"x\"}"}));
  EXPECT_TRUE(read->all("match").empty());
}

TEST(Parameters, MoreSelectorsThanAStoreShouldLookForAreRefused) {
  std::string query = "match[]=x0";
  for (int i = 1; i < 16; ++i) query += "&match[]=x" + std::to_string(i);
  const auto most = Parameters::read(request("GET", query))->selectors();
  ASSERT_TRUE(most.has_value());
  EXPECT_EQ(most->size(), 16U);
  const auto more = Parameters::read(request("GET", query + "&match[]=y"))->selectors();
  ASSERT_FALSE(more.has_value());
  EXPECT_EQ(more.error().code, ErrorCode::kInvalid);
  EXPECT_NE(more.error().message.find("17 match[] are more than 16"), std::string::npos);
  EXPECT_TRUE(Parameters::read(request("GET", "start=1"))->selectors()->empty());
}

TEST(Parameters, DifferentValuesOfOneNameAreRefused) {  // C12
  const auto read = Parameters::read(request("POST", "query=up", "query=down"));
  ASSERT_TRUE(read.has_value());
  EXPECT_EQ(read->single("query").error().code, ErrorCode::kInvalid);
  const auto same = Parameters::read(request("POST", "query=up", "query=up"));
  EXPECT_EQ(same->single("query").value(), std::optional<std::string>("up"));
  EXPECT_EQ(same->single("other").value(), std::optional<std::string>());
}

TEST(Parameters, BodiesThatAreNoFormAreRefused) {
  EXPECT_FALSE(Parameters::read(request("POST", "", "{}", "application/json")).has_value());
  EXPECT_FALSE(Parameters::read(request("GET", "", "query=up")).has_value());
  EXPECT_FALSE(Parameters::read(request("GET", "query=%zz")).has_value());
  EXPECT_FALSE(Parameters::read(request("POST", "", "query=%zz")).has_value());
  EXPECT_TRUE(Parameters::read(
      request("POST", "", "query=up", "Application/X-WWW-Form-Urlencoded; charset=utf-8")));
}

TEST(Parameters, TimesAndLengthsAreChecked) {
  const auto read = Parameters::read(request("GET", "time=5&step=15&bad=x&zero=0&empty="));
  ASSERT_TRUE(read.has_value());
  EXPECT_EQ(read->time("time").value(), std::optional<TimestampMs>(5'000));
  EXPECT_EQ(read->time("absent").value(), std::optional<TimestampMs>());
  EXPECT_EQ(read->time("empty").value(), std::optional<TimestampMs>());
  EXPECT_FALSE(read->time("bad").has_value());
  EXPECT_EQ(read->length("step").value(), std::optional<Duration>(std::chrono::seconds(15)));
  EXPECT_FALSE(read->length("zero").has_value());
}

}  // namespace
}  // namespace vigia::router::request
