#include "libs/promql/labels_made.hpp"

#include <string>

#include <gtest/gtest.h>

#include "libs/promql/limits.hpp"
#include "libs/promql/parser.hpp"

namespace vigia::promql {
namespace {

std::uint64_t made(const std::string& text) {
  const auto expr = parse(text, Dialect::kPrometheus3);
  EXPECT_TRUE(expr.has_value()) << text;
  return expr ? label_bytes_made(**expr) : 0;
}

constexpr std::uint64_t kStored = 64U << 10U;

TEST(LabelsMade, CountsWhatIsJoinedAndReplaced) {
  EXPECT_EQ(made("up + rate(x[5m])"), 0U);
  EXPECT_EQ(made("label_replace(up, 'a', 'constant', '', '')"), 8U);
  EXPECT_EQ(made("label_replace(up, 'a', '$1', 'b', '(.*)')"), kStored + 2);
  EXPECT_EQ(made("label_join(up, 'a', '-', 'b', 'c')"), 2 * kStored + 2);
  EXPECT_EQ(made("sum by (a) (label_join(up, 'a', '-', 'b', 'c')) + 1"), 2 * kStored + 2);
}

TEST(LabelsMade, KnowsWhatWasMadeBefore) {
  // A series that the regex does not fit keeps the stored one.
  EXPECT_EQ(made("label_join(label_replace(up, 'a', 'xyz', 'b', 'c'), 'b', '', 'a', 'a')"),
            3U + 2 * kStored);
  EXPECT_EQ(made("label_join(label_join(up, 'a', '-', 'b'), 'b', '', 'a', 'a')"),
            3 * (kStored + 1));
  EXPECT_EQ(made("label_replace(label_replace(up, 'a', 'xyz', '', ''), 'a', 'w', 'b', '.')"), 3U);
  EXPECT_EQ(made("label_replace(x, 'a', 'xy', '', '') or label_replace(y, 'a', 'xyz', '', '')"),
            3U);
  EXPECT_EQ(made("label_join(label_join(x, 'a', '', 'c') or y, 'b', '', 'a')"), 2 * kStored);
}

// One such query of 1 KB took 900 MB of the store that all customers share.
TEST(LabelsMade, WhatGrowsStepByStepIsOverTheLimit) {
  std::string grown = "label_replace(vector(1), 'a', '0123456789', '', '')";
  for (int i = 0; i < 6; ++i) {
    grown = "label_join(" + grown + ", 'a', '', 'a', 'a', 'a', 'a', 'a', 'a', 'a', 'a', 'a', 'a')";
  }
  EXPECT_GT(made(grown), kLabelBytesMadeMax);
  std::string copied = "label_join(up, 'b0', '', 'a')";
  for (int i = 1; i < 40; ++i) {
    copied = "label_join(" + copied + ", 'b" + std::to_string(i) + "', '', 'a')";
  }
  EXPECT_GT(made(copied), kLabelBytesMadeMax);
  std::string doubled = "up";
  for (int i = 0; i < 80; ++i) doubled = "label_replace(" + doubled + ", 'a', '$1$1', 'a', '(.*)')";
  EXPECT_GT(made(doubled), kLabelBytesMadeMax);
}

TEST(LabelsMade, EndlesslyManyLabelsAreOverTheLimit) {
  std::string many = "up";
  for (int i = 0; i < 900; ++i) {
    many += " or label_replace(up, 'a" + std::to_string(i) + "', 'x', '', '')";
  }
  EXPECT_GT(made(many), kLabelBytesMadeMax);
}

TEST(LabelsMade, WhatPeopleWritePasses) {
  std::string cases = "up";
  for (int i = 0; i < 30; ++i) {
    cases = "label_replace(" + cases + ", 'tier', '$1-gold', 'node_id', '(.*)" + std::to_string(i) +
            "')";
  }
  EXPECT_LE(made(cases), kLabelBytesMadeMax);
  EXPECT_LE(made("label_join(up, 'all', '/', 'a', 'b', 'c', 'd', 'e', 'f', 'g', 'h')"),
            kLabelBytesMadeMax);
}

}  // namespace
}  // namespace vigia::promql
