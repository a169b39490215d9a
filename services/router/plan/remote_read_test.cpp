#include "services/router/plan/remote_read.hpp"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "libs/wire/remote_read/read_request.hpp"

namespace vigia::router::plan {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using wire::remote_read::Query;
using wire::remote_read::ReadRequest;
using wire::remote_read::ResponseType;

access::Caller caller_of(const char* customer) {
  access::Caller caller;
  if (customer != nullptr) caller.customer = *CustomerId::parse(customer);
  return caller;
}

Matcher equal(const char* name, const char* value) { return {MatchType::kEqual, name, value}; }

Result<ReadRequest> fenced(const char* customer, const std::vector<Query>& queries,
                           const std::vector<ResponseType>& types = {}) {
  const auto body =
      fenced_read(caller_of(customer), wire::remote_read::encode_read_request(queries, types));
  if (!body) return forward(body);
  return wire::remote_read::parse_read_request(*body);
}

std::string why_refused(std::vector<Matcher> matchers) {
  const auto read = fenced("cliente-a", {{0, 1, std::move(matchers)}});
  return read ? "" : read.error().message;
}

TEST(RemoteRead, EachQueryIsFenced) {
  const Matcher regex{MatchType::kRegex, "customer_id", "cliente-.*"};
  const auto read = fenced("cliente-a",
                           {{1, 2, {equal("__name__", "up"), equal("customer_id", "cliente-b")}},
                            {3, 4, {regex, equal("http.route", "/\"a\"\n")}}},
                           {ResponseType::kStreamedXorChunks, ResponseType::kSamples});
  ASSERT_TRUE(read.has_value()) << read.error().message;
  EXPECT_EQ(read->response_type, ResponseType::kStreamedXorChunks);
  ASSERT_EQ(read->queries.size(), 2U);
  EXPECT_EQ(read->queries[0].start_ms, 1);
  EXPECT_EQ(read->queries[0].end_ms, 2);
  EXPECT_THAT(read->queries[0].matchers,
              ElementsAre(equal("__name__", "up"), equal("customer_id", "cliente-b"),
                          equal("customer_id", "cliente-a")));
  EXPECT_THAT(read->queries[1].matchers, ElementsAre(regex, equal("http.route", "/\"a\"\n"),
                                                     equal("customer_id", "cliente-a")));
}

TEST(RemoteRead, AnOperatorsOverAllCustomersStays) {
  const auto read = fenced(nullptr, {{1, 2, {equal("__name__", "up")}, true}});
  ASSERT_TRUE(read.has_value());
  EXPECT_THAT(read->queries[0].matchers, ElementsAre(equal("__name__", "up")));
  EXPECT_TRUE(read->queries[0].wants_labels_alone);
  EXPECT_EQ(read->response_type, ResponseType::kSamples);
}

TEST(RemoteRead, WhatNoQueryMayHaveIsRefused) {
  EXPECT_THAT(why_refused({equal("__name__", "up"), equal("__rollup__", "1h:sum")}),
              HasSubstr("__rollup__"));
  EXPECT_THAT(why_refused({{MatchType::kRegex, "job", "("}}), HasSubstr("a query's matchers"));
  EXPECT_NE(why_refused({{MatchType::kRegex, "job", "(a{900}){900}.+"}}), "");
  EXPECT_NE(why_refused({}), "") << "everything";
  EXPECT_FALSE(fenced_read(caller_of("cliente-a"), "no snappy block").has_value());
}

TEST(RemoteRead, ItGoesNoFurtherThanTheCustomersQueriesMay) {
  access::Caller caller = caller_of("cliente-a");
  caller.limits.range = std::chrono::hours(1);
  const auto of = [&](TimestampMs end_ms) {
    const std::vector<Query> queries{{0, end_ms, {equal("__name__", "up")}}};
    return fenced_read(caller, wire::remote_read::encode_read_request(queries, {}));
  };
  EXPECT_TRUE(of(3'600'000).has_value());
  const auto refused = of(3'600'001);
  ASSERT_FALSE(refused.has_value());
  EXPECT_THAT(refused.error().message, HasSubstr("query_range_seconds"));
}

}  // namespace
}  // namespace vigia::router::plan
