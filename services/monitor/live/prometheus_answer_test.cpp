#include "services/monitor/live/prometheus_answer.hpp"

#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace vigia::monitor::live {
namespace {

TEST(PrometheusAnswer, VectorsAreReadAndErrorsKeepTheirWords) {
  const auto samples =
      read_vector(R"({"status":"success","data":{"resultType":"vector","result":[)"
                  R"({"metric":{"__name__":"up","node_id":"n"},"value":[1795575845.123,"1"]},)"
                  R"({"metric":{"node_id":"m"},"value":[1795575845.123,"+Inf"]}]}})");
  ASSERT_TRUE(samples.has_value());
  ASSERT_EQ(samples->size(), 2U);
  EXPECT_EQ((*samples)[0].labels.metric_name(), "up");
  EXPECT_EQ((*samples)[0].value, 1.0);
  const auto refused =
      read_vector(R"({"status":"error","errorType":"bad_data","error":"parse error"})");
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().message, "parse error");
  EXPECT_FALSE(read_vector("<html>").has_value());
  EXPECT_FALSE(read_vector(R"({"status":"success","data":{"resultType":"vector","result":[)"
                           R"({"metric":{},"value":[1,"x"]}]}})")
                   .has_value());
}

TEST(PrometheusAnswer, VectorsAreReadInWhateverOrderAndNothingThatIsNone) {
  std::vector<std::string> warnings;
  const auto samples = read_vector(
      R"({"warnings":["one","two"],"data":{"result":[{"value":[1,"2"],"metric":{"a":"\u00e9\n"}},)"
      R"({"metric":{"a":"b"},"histogram":[1,{"count":"1"}]}],"resultType":"vector"},)"
      R"("status":"success"})",
      warnings);
  ASSERT_TRUE(samples.has_value());
  ASSERT_EQ(samples->size(), 1U) << "a native histogram has no value";
  EXPECT_EQ((*samples)[0].labels.get("a"), "é\n");
  EXPECT_EQ(warnings, (std::vector<std::string>{"one", "two"}));
  const std::string head = R"({"status":"success","data":{"resultType":)";
  const std::string one = R"({"metric":{},"value":[1,"2"]})";
  for (const std::string& bad :
       {head + R"("matrix","result":[]}})", head + R"("vector","result":[)" + one,
        head + R"("vector","result":[)" + one + ",", head + R"("vector","result":[)" + one + "]",
        head + R"("vector","result":[{"metric":{},"value":[1]}]}})",
        head + R"("vector","result":[{"metric":{},"value":[1,"2","3"]}]}})",
        head + R"("vector","result":[{"metric":{},"value":["1","2"]}]}})",
        head + R"("vector","result":[{"metric":{"a":1},"value":[1,"2"]}]}})",
        head + R"("vector"}})", std::string(R"({"status":"success"})"), std::string()}) {
    EXPECT_FALSE(read_vector(bad).has_value()) << bad;
  }
}

}  // namespace
}  // namespace vigia::monitor::live
