#include "services/router/api/loki/level.hpp"

#include <gtest/gtest.h>
#include <re2/re2.h>

namespace vigia::router::api::loki {
namespace {

TEST(Level, IsToldByWhatSendersWrite) {
  EXPECT_EQ(level_of("ERROR"), "error");
  EXPECT_EQ(level_of("err"), "error");
  EXPECT_EQ(level_of("Error3"), "error");
  EXPECT_EQ(level_of("Information"), "info");
  EXPECT_EQ(level_of("INFORMATIONAL1"), "info");
  EXPECT_EQ(level_of("WARNING"), "warn");
  EXPECT_EQ(level_of("emergency"), "fatal");
  for (const char* none : {"", "1", "error5", "errors", "error33", "INFORMATIONALLY1", "ошибка"}) {
    EXPECT_EQ(level_of(none), "unknown") << none;
  }
}

/// As storage looks: the whole value.
bool is_met(const std::string& matcher, const std::string& severity) {
  const std::string name = "severity";
  EXPECT_TRUE(matcher.starts_with(name)) << matcher;
  const bool is_negative = matcher.substr(name.size(), 2) == "!~";
  return re2::RE2::FullMatch(severity, matcher.substr(name.size() + 2)) != is_negative;
}

// What storage leaves out never comes back: the two must agree on every word.
TEST(Level, StorageLooksForTheSame) {
  const std::vector<std::string> written{"",      "trace",    "TRACE2", "Debug", "dbg",   "INFO",
                                         "info4", "notice",   "WARN",   "Err",   "crit1", "ALERT",
                                         "panic", "errorful", "error5", "x",     "42"};
  for (unsigned set = 1; set < (1U << kLevels.size()); ++set) {
    std::vector<std::string_view> levels;
    for (std::size_t i = 0; i < kLevels.size(); ++i) {
      if ((set >> i & 1U) != 0) levels.push_back(kLevels[i]);
    }
    const auto matcher = severity_matcher(levels);
    EXPECT_EQ(matcher.has_value(), levels.size() != kLevels.size());
    if (!matcher) continue;
    for (const std::string& severity : written) {
      const bool is_wanted =
          std::find(levels.begin(), levels.end(), level_of(severity)) != levels.end();
      EXPECT_EQ(is_met(*matcher, severity), is_wanted) << *matcher << " of " << severity;
    }
  }
}

}  // namespace
}  // namespace vigia::router::api::loki
