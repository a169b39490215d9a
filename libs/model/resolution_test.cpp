#include "libs/model/resolution.hpp"

#include <gtest/gtest.h>

namespace vigia {
namespace {

// Numbers are on disk, texts are what settings, matchers and answers say.
TEST(Resolution, HasANumberAndAWord) {
  struct Case {
    Resolution resolution;
    int number;
    std::string_view word;
  };
  for (const auto& each :
       {Case{Resolution::kRaw, 0, "raw"}, Case{Resolution::kFiveMinutes, 1, "5m"},
        Case{Resolution::kHour, 2, "1h"}, Case{Resolution::kDay, 3, "1d"},
        Case{Resolution{4}, 4, "unknown"}}) {
    EXPECT_EQ(static_cast<int>(each.resolution), each.number) << each.word;
    EXPECT_EQ(to_string(each.resolution), each.word);
  }
}

}  // namespace
}  // namespace vigia
