#include "services/router/json/exemplars.hpp"

#include <gtest/gtest.h>

namespace vigia::router::json {
namespace {

const std::optional<CustomerId> kA = *CustomerId::parse("a");
const std::optional<CustomerId> kEveryone;

constexpr std::string_view kHot =
    R"([{"seriesLabels":{"__name__":"m","customer_id":"a","job":"x"},"exemplars":[)"
    R"({"labels":{"trace_id":"1"},"value":"0.25","timestamp":1700000000.123},)"
    R"({"labels":{"trace_id":"2"},"value":"100000000000000000000","timestamp":1700000001}]},)"
    R"({"seriesLabels":{"__name__":"m","customer_id":"b"},"exemplars":[)"
    R"({"labels":{"trace_id":"of b"},"value":"1","timestamp":1}]},)"
    R"({"seriesLabels":{"__name__":"m"},"exemplars":[)"
    R"({"labels":{"trace_id":"nobody's"},"value":"1","timestamp":1}]}])";

// The same, as another store spells it, and one more.
constexpr std::string_view kCold =
    R"([{"seriesLabels":{"job":"x","customer_id":"a","__name__":"m"},"exemplars":[)"
    R"({"labels":{"trace_id":"0"},"value":"-Inf","timestamp":1699999999.500},)"
    R"({"timestamp":1700000000.123,"value":"2.5e-1","labels":{"trace_id":"1"}},)"
    R"({"labels":{"trace_id":"2"},"value":"1e+20","timestamp":1700000001.000}]}])";

std::string written(const Result<ExemplarList>& list) {
  if (!list) return list.error().message;
  std::string out;
  list->write(out);
  return out;
}

TEST(ExemplarList, OfSeveralStoresEachOnceByTime) {
  auto all = ExemplarList::read(kHot, kA);
  const auto cold = ExemplarList::read(kCold, kA);
  ASSERT_TRUE(all && cold);
  const std::size_t before = all->bytes();
  all->add(*cold);
  EXPECT_GT(all->bytes(), before);
  EXPECT_EQ(
      written(all),
      R"([{"seriesLabels":{"__name__":"m","customer_id":"a","job":"x"},"exemplars":[)"
      R"({"labels":{"trace_id":"0"},"value":"-Inf","timestamp":1699999999.500},)"
      R"({"labels":{"trace_id":"1"},"value":"0.25","timestamp":1700000000.123},)"
      R"({"labels":{"trace_id":"2"},"value":"100000000000000000000","timestamp":1700000001}]}])");
  const std::size_t full = all->bytes();
  all->add(*cold);
  EXPECT_EQ(all->bytes(), full) << "each once";
}

// Two of one time and value that name different traces are two.
TEST(ExemplarList, WhatDiffersInItsLabelsAloneIsAnother) {
  const auto two = ExemplarList::read(R"([{"seriesLabels":{"customer_id":"a"},"exemplars":[)"
                                      R"({"labels":{"trace_id":"2"},"value":"1","timestamp":1},)"
                                      R"({"labels":{"trace_id":"1"},"value":"1","timestamp":1}]}])",
                                      kA);
  EXPECT_EQ(written(two), R"([{"seriesLabels":{"customer_id":"a"},"exemplars":[)"
                          R"({"labels":{"trace_id":"1"},"value":"1","timestamp":1},)"
                          R"({"labels":{"trace_id":"2"},"value":"1","timestamp":1}]}])");
}

TEST(ExemplarList, NothingOfAnotherCustomers) {
  const std::string own = written(ExemplarList::read(kHot, kA));
  EXPECT_EQ(own.find("of b"), std::string::npos);
  EXPECT_EQ(own.find("nobody"), std::string::npos);
  const std::string all = written(ExemplarList::read(kHot, kEveryone));
  EXPECT_NE(all.find("of b"), std::string::npos);
  EXPECT_NE(all.find("nobody"), std::string::npos);
}

TEST(ExemplarList, NumbersAreSpeltAsPrometheusSpellsThem) {
  for (const auto& [sent, spelt] :
       std::initializer_list<std::pair<const char*, const char*>>{{"1e-7", "1e-07"},
                                                                  {"0.000001", "0.000001"},
                                                                  {"1e21", "1e+21"},
                                                                  {"NaN", "NaN"},
                                                                  {"+Inf", "+Inf"},
                                                                  {"-0", "-0"},
                                                                  {"1e300", "1e+300"}}) {
    const auto read = ExemplarList::read(
        std::string(R"([{"seriesLabels":{},"exemplars":[{"labels":{},"value":")") + sent +
            R"(","timestamp":-1.5}]}])",
        kEveryone);
    EXPECT_EQ(written(read),
              std::string(R"([{"seriesLabels":{},"exemplars":[{"labels":{},"value":")") + spelt +
                  R"(","timestamp":-1.500}]}])");
  }
}

TEST(ExemplarList, AnythingElseIsCorrupt) {
  EXPECT_EQ(written(ExemplarList::read("null", kA)), "[]");
  EXPECT_EQ(written(ExemplarList::read("[]", kA)), "[]");
  for (
      const char* text :
      {"", "{}", "[1]", R"([{"seriesLabels":{"customer_id":"a"}}])",
       R"([{"seriesLabels":{"customer_id":"a"},"exemplars":[{"labels":{},"value":"x","timestamp":1}]}])",
       R"([{"seriesLabels":{"customer_id":"a"},"exemplars":[{"labels":{},"value":1,"timestamp":1}]}])",
       R"([{"seriesLabels":{"customer_id":"a"},"exemplars":[{"labels":{},"value":"1","timestamp":1e30}]}])"}) {
    EXPECT_FALSE(ExemplarList::read(text, kA).has_value()) << text;
  }
}

}  // namespace
}  // namespace vigia::router::json
