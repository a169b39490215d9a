#include "services/router/api/jaeger/cold_search.hpp"

#include <initializer_list>
#include <string>
#include <tuple>
#include <utility>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace vigia::router::api::jaeger {
namespace {

using ::testing::HasSubstr;

constexpr TimestampMs kNowMs = 1'764'043'300'000;

Result<ColdSearch> traces(const std::string& query) {
  net::Request request;
  request.method = "GET";
  request.query = query;
  const auto parameters = request::Parameters::read(request);
  if (!parameters) return forward(parameters);
  return traces_search(*parameters, kNowMs);
}

/// "name=value name=value", of what storage is asked.
std::string asked(const Result<ColdSearch>& search) {
  if (!search) return "refused: " + search.error().message;
  std::string text;
  for (const auto& [name, value] : search->form) {
    text += fmt::format("{}{}={}", text.empty() ? "" : " ", name, value);
  }
  return text;
}

TEST(ColdSearch, WhatAPageAsksIsWhatStorageIsAsked) {
  // As jaeger-ui sends its form, an empty field and a lookback beside the times included.
  EXPECT_EQ(
      asked(traces("end=1764043300000000&limit=7&lookback=1h&maxDuration=2s&minDuration"
                   "&operation=GET%20%2Fx&service=shop&start=1764039700000999"
                   "&tags=%7B%22http.status_code%22%3A%22500%22%2C%22error%22%3A%22true%22%7D")),
      "service=shop operation=GET /x start=1764039700.000 end=1764043300.000 "
      "tag=http.status_code=500 tag=error=true max_duration=2000000000ns limit=7");
  // As Grafana's does.
  EXPECT_EQ(asked(traces("end=1764043300123456&limit=20&maxDuration=1.2s&minDuration=100ms"
                         "&service=shop&start=1764039700000000")),
            "service=shop start=1764039700.000 end=1764043300.123 min_duration=100000000ns "
            "max_duration=1200000000ns limit=20");
  EXPECT_EQ(asked(traces("service=s&tag=a:b:c&tag=x:&tag=&tags=&minDuration=0&maxDuration=0s")),
            "service=s start=1763870500.000 end=1764043300.000 tag=a=b:c tag=x= limit=20");
}

TEST(ColdSearch, WithoutAStartItLooksBack) {
  const auto begins = [](const std::string& query) {
    const auto search = traces("service=s&" + query);
    return search ? (kNowMs - search->start_ms) / 60'000 : -1;
  };
  EXPECT_EQ(begins(""), 2 * 24 * 60);
  EXPECT_EQ(begins("lookback=custom"), 2 * 24 * 60);
  EXPECT_EQ(begins("lookback=5m"), 5);
  EXPECT_EQ(begins("lookback=1h30m"), 90);
  EXPECT_EQ(begins("lookback=2d"), 2 * 24 * 60);
  EXPECT_EQ(begins("lookback=1w"), 7 * 24 * 60);
  EXPECT_EQ(begins("start=1764043240000000&lookback=nonsense"), 1) << "start says it";
  EXPECT_EQ(traces("service=s&lookback=292y&end=5000000")->start_ms, 0);
}

TEST(ColdSearch, EachBadParameterIsNamed) {
  std::string many = "service=s";
  for (std::size_t i = 0; i <= kTagsMax; ++i) many += "&tag=a:b";
  for (const auto& [query, name, why] :
       std::initializer_list<std::tuple<std::string, std::string, std::string>>{
           {"", "service", "required"},
           {"service=", "service", "required"},
           {"service=a&service=b", "service", "different values"},
           {"service=s&start=1.5", "start", "whole number"},
           {"service=s&start=%2B-1", "start", "whole number"},
           {"service=s&start=-1", "start", "microseconds"},
           {"service=s&end=1764043300000000000000", "end", "whole number"},
           {"service=s&end=1764043300000000000", "end", "microseconds"},  // nanoseconds
           {"service=s&start=2000000&end=1000000", "start", "later than end"},
           {"service=s&lookback=x", "lookback", "length of time"},
           {"service=s&lookback=-1h", "lookback", "length of time"},
           {"service=s&lookback=0", "lookback", "length of time"},
           {"service=s&tag=x", "tag", "name:text"},
           {"service=s&tag=:x", "tag", "must be there"},
           {"service=s&tag=a%3Db:x", "tag", "no ="},
           {"service=s&tags=x", "tags", "JSON"},
           {"service=s&tags=%5B%5D", "tags", "JSON"},
           {"service=s&tags=%7B%22a%22%3A1%7D", "tags", "the value of a must be a text"},
           {"service=s&tags=%7B%22a%22%3A%221%22%2C%22a%22%3A%222%22%7D", "tags", "JSON"},
           {"service=s&minDuration=5", "minDuration", "100ms"},
           {"service=s&minDuration=-5s", "minDuration", "100ms"},
           {"service=s&maxDuration=x", "maxDuration", "100ms"},
           {"service=s&minDuration=2s&maxDuration=1s", "maxDuration", "shorter"},
           {"service=s&limit=0", "limit", "1 to 1000"},
           {"service=s&limit=1001", "limit", "1 to 1000"},
           {"service=s&limit=x", "limit", "whole number"},
           {many, "tag", "more than 64"}}) {
    const auto search = traces(query);
    ASSERT_FALSE(search.has_value()) << query;
    EXPECT_EQ(search.error().code, ErrorCode::kInvalid) << query;
    EXPECT_THAT(search.error().message, HasSubstr('"' + name + '"')) << query;
    EXPECT_THAT(search.error().message, HasSubstr(why)) << query;
  }
}

TEST(ColdSearch, OperationsAreThoseOfOneKindWhereItIsSaid) {
  EXPECT_EQ(asked(operations_search("a/b", "")), "limit=10000 service=a/b");
  EXPECT_EQ(asked(operations_search("s", "server")), "limit=10000 service=s span_kind=server");
  EXPECT_FALSE(operations_search("", "").has_value());
  EXPECT_THAT(asked(operations_search("s", "SERVER")), HasSubstr("\"spanKind\""));
  EXPECT_EQ(services_search().path, "/api/v1/services");
}

Result<ColdSearch> dependencies(const std::string& query) {
  net::Request request;
  request.method = "GET";
  request.query = query;
  const auto parameters = request::Parameters::read(request);
  if (!parameters) return forward(parameters);
  return dependencies_search(*parameters, kNowMs);
}

TEST(ColdSearch, CallsAreOfATimeBeforeAnEnd) {
  EXPECT_EQ(asked(dependencies("")), "start=1763956900.000 end=1764043300.000");
  EXPECT_EQ(asked(dependencies("endTs=1764043300123&lookback=604800000")),
            "start=1763438500.123 end=1764043300.123");
  EXPECT_EQ(asked(dependencies("endTs=5000&lookback=9223372036854775807&service=shop")),
            "start=0.000 end=5.000 service=shop");
  EXPECT_EQ(asked(dependencies("endTs=5000&lookback=0")), "start=5.000 end=5.000");
  for (const auto& [query, name] : std::initializer_list<std::pair<std::string, std::string>>{
           {"endTs=x", "endTs"},
           {"endTs=-1", "endTs"},
           {"endTs=1764043300000000000", "endTs"},
           {"lookback=1h", "lookback"},
           {"lookback=-1", "lookback"},
           {"service=a&service=b", "service"}}) {
    EXPECT_THAT(asked(dependencies(query)), HasSubstr('"' + name + '"')) << query;
  }
}

}  // namespace
}  // namespace vigia::router::api::jaeger
