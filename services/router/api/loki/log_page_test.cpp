#include "services/router/api/loki/log_page.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "services/router/api/loki/page_ask.hpp"

namespace vigia::router::api::loki {
namespace {

using ::testing::ElementsAre;
using ::testing::Pair;

constexpr std::string_view kPage = R"({"status":"success","data":[
{"time_ns":"1664088804000000001","severity":"ERROR","body":"a \"b\"","trace_id":"0e","span_id":"",
 "attributes":{"n":7,"f":1.5,"t":true,"s":"x"},"resource":{"service.name":"shop"}},
{"time_ns":"18446744073709551615","severity":"","body":"","trace_id":"","span_id":"",
 "attributes":{},"resource":{}}],
"cursor":"0a0b","warnings":["results truncated due to limit","1 log records are too large to be shown"]})";

TEST(LogPage, IsReadRecordByRecord) {
  std::vector<std::int64_t> times;
  const auto end = read_page(kPage, [&](const LogRecord& record) -> Result<bool> {
    if (times.empty()) {
      EXPECT_EQ(record.severity, "ERROR");
      EXPECT_EQ(record.body, "a \"b\"");
      EXPECT_EQ(record.trace_id, "0e");
      EXPECT_THAT(record.attributes,
                  ElementsAre(Pair("n", "7"), Pair("f", "1.5"), Pair("t", "true"), Pair("s", "x")));
      EXPECT_THAT(record.resource, ElementsAre(Pair("service.name", "shop")));
    } else {
      EXPECT_THAT(record.attributes, ElementsAre());
    }
    times.push_back(record.time_ns);
    return true;
  });
  ASSERT_TRUE(end.has_value()) << end.error().message;
  EXPECT_THAT(times, ElementsAre(1'664'088'804'000'000'001, INT64_MAX));
  EXPECT_TRUE(end->is_cut);
  EXPECT_TRUE(end->is_read_whole);
  EXPECT_EQ(end->cursor, "0a0b");
  EXPECT_THAT(end->warnings, ElementsAre("1 log records are too large to be shown"));
}

// Whatever the collector takes: one such line once made an error of every page that it stood on.
TEST(LogPage, ARecordIsItsCustomersWhereNoOtherIsNamed) {
  const CustomerId customer = CustomerId::parse("cliente-a").value();
  const auto is_its = [&](const std::vector<std::string>& names) {
    LogRecord record;
    record.resource.emplace_back("service.name", "shop");
    for (const std::string& name : names) record.resource.emplace_back("customer.id", name);
    return is_of(customer, record);
  };
  EXPECT_TRUE(is_its({"cliente-a"}));
  EXPECT_TRUE(is_its({"", "cliente-a"}));
  EXPECT_TRUE(is_its({"cliente-a", "", "cliente-a"}));
  EXPECT_FALSE(is_its({"cliente-a", "cliente-b"}));
  EXPECT_FALSE(is_its({"cliente-b", "cliente-a"}));
  EXPECT_FALSE(is_its({""}));
  EXPECT_FALSE(is_its({}));
}

// It has no cursor where storage had looked at nothing yet: that is no whole answer.
TEST(LogPage, ASearchThatWasEndedIsNotWhole) {
  const auto take = [](const LogRecord&) -> Result<bool> { return true; };
  const auto ended = read_page(
      R"({"data":[],"warnings":["the search was ended, it took too long, before it had looked"]})",
      take);
  ASSERT_TRUE(ended.has_value());
  EXPECT_TRUE(ended->is_cut);
  EXPECT_EQ(ended->cursor, "");
  EXPECT_FALSE(read_page(R"({"data":[]})", take)->is_cut);
}

TEST(LogPage, EndsWhereNoMoreIsWanted) {
  int seen = 0;
  const auto end = read_page(kPage, [&](const LogRecord&) -> Result<bool> {
    ++seen;
    return false;
  });
  ASSERT_TRUE(end.has_value());
  EXPECT_EQ(seen, 1);
  EXPECT_FALSE(end->is_read_whole);
  const auto failed = read_page(kPage, [](const LogRecord&) -> Result<bool> {
    return fail(ErrorCode::kOverLimit, "too much");
  });
  ASSERT_FALSE(failed.has_value());
  EXPECT_EQ(failed.error().message, "too much");
}

TEST(LogPage, WhatIsNoneIsTold) {
  const auto take = [](const LogRecord&) -> Result<bool> { return true; };
  for (const char* text :
       {"", "{", "[]", "{}", R"({"data":{}})", R"({"data":[{}]})", R"({"data":["x"]})"}) {
    const auto page = read_page(text, take);
    ASSERT_FALSE(page.has_value()) << text;
    EXPECT_EQ(page.error().code, ErrorCode::kCorrupt) << text;
  }
}

}  // namespace
}  // namespace vigia::router::api::loki
