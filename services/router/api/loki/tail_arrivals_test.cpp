#include "services/router/api/loki/tail_arrivals.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace vigia::router::api::loki {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;

TEST(TailArrivalsTest, AnAnswerIsRead) {
  const auto arrivals =
      read_arrivals(R"({"status":"success","data":{"upto":"17","times":[["5","9"],["20","20"]]}})");
  ASSERT_TRUE(arrivals.has_value());
  EXPECT_EQ(arrivals->upto, 17U);
  ASSERT_EQ(arrivals->times.size(), 2U);
  EXPECT_EQ(arrivals->times[0].start_ns, 5);
  EXPECT_EQ(arrivals->times[0].end_ns, 10) << "storage's ends are of it, ours are not";
  EXPECT_EQ(arrivals->times[1].end_ns, 21);
}

TEST(TailArrivalsTest, TheEndOfTimesIsOne) {
  const auto arrivals = read_arrivals(
      R"({"status":"success","data":{"upto":"1","times":[["0","18446744073709551615"]]}})");
  ASSERT_TRUE(arrivals.has_value());
  EXPECT_EQ(arrivals->times[0].end_ns, INT64_MAX);
}

TEST(TailArrivalsTest, WhatIsNoneIsNotGuessed) {
  for (const char* wrong :
       {"", "{}", "[]", R"({"data":{"upto":"1"}})", R"({"data":{"upto":1,"times":[]}})",
        R"({"data":{"upto":"x","times":[]}})", R"({"data":{"upto":"1","times":[["1"]]}})",
        R"({"data":{"upto":"1","times":[["2","1"]]}})", R"({"data":{"upto":"1","times":[7]}})"}) {
    EXPECT_FALSE(read_arrivals(wrong).has_value()) << wrong;
  }
}

TEST(TailArrivalsTest, OneCustomerIsAskedAbout) {
  const auto customer = CustomerId::parse("cliente-a").value();
  const auto first = arrivals_ask(customer, std::nullopt, nullptr);
  EXPECT_EQ(first.customer, customer);
  EXPECT_THAT(first.form, IsEmpty());
  auto next = arrivals_ask(customer, 17, nullptr);
  EXPECT_THAT(next.form, ElementsAre(Pair("after", "17")));
  ask_for_arrived(next, {17, 20});
  EXPECT_THAT(next.form, ElementsAre(Pair("after", "17"), Pair("arrived_after", "17"),
                                     Pair("arrived_upto", "20")));
}

}  // namespace
}  // namespace vigia::router::api::loki
