#include "libs/logql/pipeline/front_filters.hpp"

#include <random>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "libs/base/testing/dose.hpp"
#include "libs/logql/limits.hpp"
#include "libs/logql/parser.hpp"
#include "libs/logql/pipeline/pipeline.hpp"

namespace vigia::logql::pipeline {
namespace {

LogExprPtr parsed(const std::string& stages) {
  auto expr = parse_logs(R"({app="a"} )" + stages);
  EXPECT_TRUE(expr.has_value()) << stages << ": " << expr.error().message;
  return std::move(*expr);
}

std::string front_of(const std::string& stages) {
  return text_of_front_filters(std::get<LogSelector>(parsed(stages)->node));
}

TEST(FrontFilters, AreThoseBeforeTheFirstOtherStage) {
  EXPECT_EQ(front_of(""), "");
  EXPECT_EQ(front_of("| json |= `a`"), "");
  EXPECT_EQ(front_of(R"(|= `a"` or "b" !~ "c" | json |= "d")"), R"(|= "a\"" or "b" !~ "c")");
  EXPECT_EQ(front_of(R"(|= ip("10.0.0.0/8") |> "<_> x")"), R"(|= ip("10.0.0.0/8") |> "<_> x")");
}

TEST(FrontFilters, NothingElseIsRead) {
  for (const char* text : {"| json", R"(|= "a" | json)", R"(|= "a)", R"(|~ "(")", R"(} |= "a")",
                           R"(|= "a" [5m])", R"(|= "a") or ({b="c"})", "x", "|= ip(\"x\")"}) {
    EXPECT_FALSE(FrontFilters::parse(text).has_value()) << text;
  }
  EXPECT_TRUE(FrontFilters::parse("")->pass("x"));
}

// A line of more work than one line may take passes, as the pipeline has it.
TEST(FrontFilters, ALineThatIsTooMuchWorkPasses) {
  const auto filters = FrontFilters::parse(R"(|= "x" |= "y")").value();
  EXPECT_FALSE(filters.pass(std::string(kLineWorkBytesMax, 'z')));
  EXPECT_TRUE(filters.pass(std::string(kLineWorkBytesMax + 1, 'z')));
  EXPECT_TRUE(filters.pass(std::string(kLineWorkBytesMax / 2 + 1, 'x'))) << "none for the second";
}

constexpr std::string_view kPieces[] = {"a",        "B",        "ab",   "é",    "É",  " ",
                                        "10.0.0.7", "\n",       "0",    "\x7f", "\t", "\"{}",
                                        "x",        "\xff\xfe", "日本", "9"};

class Words {
 public:
  explicit Words(unsigned seed) : random_(seed) {}

  std::string line() {
    std::string text;
    for (std::size_t left = random_() % 9; left > 0; --left) {
      text += left == 4 && random_() % 8 == 0 ? std::string(1, '\0') : std::string(piece());
    }
    return text;
  }
  std::string stages() {
    std::string text;
    for (std::size_t left = 1 + random_() % 3; left > 0; --left) text += filter();
    return text;
  }

 private:
  std::string_view piece() { return kPieces[random_() % std::size(kPieces)]; }

  std::string filter() {
    static constexpr std::string_view kTests[] = {"|=", "!=", "|~", "!~"};
    static constexpr std::string_view kRegexes[] = {
        "(?i)b", "^a",    "a$", "é+",  "[^a]b",   "a.b|0",   "(?s)a.x",   "\\x00",
        "\\d+$", "(?i)É", "",   "日.", "(?m)^x$", "\\pL{3}", "\\.\\d\\.", "(ab)*x"};
    const std::size_t test = random_() % std::size(kTests);
    std::string text = fmt::format(" {} ", kTests[test]);
    for (std::size_t left = 1 + random_() % 2; left > 0; --left) {
      LogSelector quoted;
      const std::string term(test < 2 ? line() : kRegexes[random_() % std::size(kRegexes)]);
      quoted.stages.emplace_back(LineFilter{LineTest::kContains, {{term}}});
      text += text_of_front_filters(quoted).substr(3);
      if (left > 1) text += " or ";
    }
    return text;
  }

  std::mt19937 random_;
};

// What is printed, read elsewhere and asked there says of every line what the selector says.
TEST(FrontFilters, SayWhatTheSelectorSays) {
  static const Labels kNone;
  const int rounds = dose(2'000, 100'000);
  int passed = 0;
  for (int round = 0; round < rounds; ++round) {
    Words words(static_cast<unsigned>(round));
    const std::string stages = words.stages();
    const auto expr = parsed(stages);
    const auto& selector = std::get<LogSelector>(expr->node);
    auto pipeline = Pipeline::compile(selector).value();
    const auto filters = FrontFilters::parse(text_of_front_filters(selector));
    ASSERT_TRUE(filters.has_value()) << stages << ": " << filters.error().message;
    for (int i = 0; i < 20; ++i) {
      const std::string line = words.line();
      const bool is_passed = filters->pass(line);
      ASSERT_EQ(is_passed, pipeline.run({0, line, &kNone, {}})) << stages << " of " << line;
      passed += is_passed ? 1 : 0;
    }
  }
  EXPECT_GT(passed, rounds * 20 / 10);
  EXPECT_LT(passed, rounds * 20 * 9 / 10);
}

}  // namespace
}  // namespace vigia::logql::pipeline
