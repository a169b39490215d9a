#include "services/router/api/loki/stream_query.hpp"

#include <gtest/gtest.h>

namespace vigia::router::api::loki {
namespace {

/// "QUERY SEVERITY", or what became of it.
std::string text_of(const std::vector<Matcher>& matchers) {
  const auto query = stream_query_of(matchers);
  if (!query) return query.error().message;
  if (!query->selects_something) return "nothing";
  return query->severity.empty() ? query->streams : query->streams + " " + query->severity;
}

TEST(StreamQuery, StorageIsAskedWhatItKnows) {
  EXPECT_EQ(text_of({{MatchType::kEqual, "service_name", "shop"},
                     {MatchType::kNotRegex, "node_id", "n1|n2"},
                     {MatchType::kEqual, "customer_id", "a"}}),
            R"({service_name="shop",node_id!~"n1|n2",customer_id="a"})");
  EXPECT_EQ(text_of({}), "{}");
}

TEST(StreamQuery, ValuesCannotLeaveTheirQuotes) {
  EXPECT_EQ(text_of({{MatchType::kEqual, "service_name", "a\"} \\ \n\r,x"}}),
            R"({service_name="a\"} \\ \n\r,x"})");
}

TEST(StreamQuery, LevelsAreAskedForBySeverity) {
  EXPECT_EQ(text_of({{MatchType::kEqual, "level", "fatal"}}),
            "{} severity=~(?i)(fatal|emerg|panic|emergency)[1-4]?");
  EXPECT_EQ(text_of({{MatchType::kNotRegex, "level", "trace|debug|fatal|critical|error|warn"}}),
            "{} severity!~(?i)(trace|verbose|debug|dbg|warn|warning|error|err|severe|critical|crit|"
            "alert|fatal|emerg|panic|emergency)[1-4]?");
  EXPECT_EQ(text_of({{MatchType::kRegex, "level", ".+"}}), "{}");
  EXPECT_EQ(text_of({{MatchType::kEqual, "level", "info"}, {MatchType::kEqual, "level", "warn"}}),
            "nothing");
  EXPECT_EQ(text_of({{MatchType::kEqual, "level", "ERROR"}}), "nothing");
}

TEST(StreamQuery, OtherLabelsAreAbsent) {
  EXPECT_EQ(text_of({{MatchType::kEqual, "pod", "x"}}), "nothing");
  EXPECT_EQ(text_of({{MatchType::kRegex, "pod", ".+"}}), "nothing");
  EXPECT_EQ(text_of({{MatchType::kNotEqual, "pod", "x"}}), "{}");
  EXPECT_EQ(text_of({{MatchType::kRegex, "pod", ".*"}}), "{}");
  EXPECT_EQ(text_of({{MatchType::kRegex, "pod", "("}}),
            "parse error: the expression of pod cannot be read");
}

}  // namespace
}  // namespace vigia::router::api::loki
