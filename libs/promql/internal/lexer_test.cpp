#include "libs/promql/internal/lexer.hpp"

#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace vigia::promql::internal {
namespace {

using testing::ElementsAre;
using Kind = TokenKind;
using Read = std::vector<std::pair<TokenKind, std::string>>;

/// All tokens before the end; a fault stands last, with its message.
Read read(std::string_view text, Dialect dialect = Dialect::kPrometheus3) {
  Lexer lexer(text, dialect);
  Read tokens;
  for (Token token = lexer.next(); token.kind != Kind::kEnd; token = lexer.next()) {
    const bool is_fault = token.kind == Kind::kError;
    tokens.emplace_back(token.kind, is_fault ? lexer.message() : std::string(token.text));
    if (is_fault) break;
  }
  return tokens;
}

struct OneToken {
  const char* text;
  TokenKind kind;
};

TEST(Lexer, EveryTokenAlone) {
  const OneToken table[] = {
      {"up", Kind::kIdentifier},
      {"_x9", Kind::kIdentifier},
      {"job:up:sum", Kind::kMetricIdentifier},
      {":x", Kind::kMetricIdentifier},
      {"by:x", Kind::kMetricIdentifier},
      {"1", Kind::kNumber},
      {".5", Kind::kNumber},
      {"5.", Kind::kNumber},
      {"1e-3", Kind::kNumber},
      {"1E+3", Kind::kNumber},
      {"0x1F", Kind::kNumber},
      {"Inf", Kind::kNumber},
      {"nAn", Kind::kNumber},
      {"5m", Kind::kDuration},
      {"1h30m", Kind::kDuration},
      {"300ms", Kind::kDuration},
      {R"("a\"b")", Kind::kString},
      {R"('a"b')", Kind::kString},
      {"`a\\\nb`", Kind::kString},
      {",", Kind::kComma},
      {":", Kind::kMetricIdentifier},
      {"@", Kind::kAt},
      {"==", Kind::kEqual},
      {"!=", Kind::kNotEqual},
      {">", Kind::kGreater},
      {">=", Kind::kGreaterOrEqual},
      {"<", Kind::kLess},
      {"<=", Kind::kLessOrEqual},
      {"+", Kind::kAdd},
      {"-", Kind::kSubtract},
      {"*", Kind::kMultiply},
      {"/", Kind::kDivide},
      {"%", Kind::kModulo},
      {"^", Kind::kPower},
      {"Sum", Kind::kAggregate},
      {"AND", Kind::kAnd},
      {"or", Kind::kOr},
      {"unless", Kind::kUnless},
      {"atan2", Kind::kAtan2},
      {"offset", Kind::kOffset},
      {"by", Kind::kBy},
      {"without", Kind::kWithout},
      {"on", Kind::kOn},
      {"ignoring", Kind::kIgnoring},
      {"group_left", Kind::kGroupLeft},
      {"Group_Right", Kind::kGroupRight},
      {"bool", Kind::kBool},
      {"start", Kind::kStart},
      {"end", Kind::kFinish},
  };
  for (const OneToken& one : table) {
    EXPECT_THAT(read(one.text), ElementsAre(std::pair(one.kind, std::string(one.text))))
        << one.text;
  }
}

TEST(Lexer, WordsOfTheLanguageAreLabelsInsideBraces) {
  EXPECT_THAT(read(R"({by="a",sum=~'b',le!="1",on!~"x"})"),
              ElementsAre(std::pair(Kind::kLeftBrace, "{"), std::pair(Kind::kIdentifier, "by"),
                          std::pair(Kind::kAssign, "="), std::pair(Kind::kString, "\"a\""),
                          std::pair(Kind::kComma, ","), std::pair(Kind::kIdentifier, "sum"),
                          std::pair(Kind::kRegexMatch, "=~"), std::pair(Kind::kString, "'b'"),
                          std::pair(Kind::kComma, ","), std::pair(Kind::kIdentifier, "le"),
                          std::pair(Kind::kNotEqual, "!="), std::pair(Kind::kString, "\"1\""),
                          std::pair(Kind::kComma, ","), std::pair(Kind::kIdentifier, "on"),
                          std::pair(Kind::kRegexNotMatch, "!~"), std::pair(Kind::kString, "\"x\""),
                          std::pair(Kind::kRightBrace, "}")));
}

TEST(Lexer, AColonIsOfANameOutsideBracketsAndOfASubqueryInside) {
  EXPECT_THAT(
      read("a:b[5m:1m]"),
      ElementsAre(std::pair(Kind::kMetricIdentifier, "a:b"), std::pair(Kind::kLeftBracket, "["),
                  std::pair(Kind::kDuration, "5m"), std::pair(Kind::kColon, ":"),
                  std::pair(Kind::kDuration, "1m"), std::pair(Kind::kRightBracket, "]")));
}

TEST(Lexer, BlanksAndCommentsAreNothing) {
  EXPECT_THAT(read(" \t\r\n# {customer_id=\"a\"}\nup # end"),
              ElementsAre(std::pair(Kind::kIdentifier, "up")));
  EXPECT_THAT(read("# all of it"), ElementsAre());
  EXPECT_THAT(read("'# no comment'"), ElementsAre(std::pair(Kind::kString, "'# no comment'")));
}

TEST(Lexer, AnExponentsSignBelongsToTheNumber) {
  EXPECT_THAT(read("1e+2"), ElementsAre(std::pair(Kind::kNumber, "1e+2")));
  EXPECT_THAT(read("0x1e+2"),
              ElementsAre(std::pair(Kind::kNumber, "0x1e"), std::pair(Kind::kAdd, "+"),
                          std::pair(Kind::kNumber, "2")));
}

TEST(Lexer, FaultsAreTold) {
  const struct {
    const char* text;
    const char* message;
  } table[] = {
      {"{", "unexpected end of input inside braces"},
      {"[", "unclosed left bracket"},
      {"(", "unclosed left parenthesis"},
      {")", "unexpected right parenthesis ')'"},
      {"]", "unexpected right bracket ']'"},
      {"[[", "unexpected left bracket '['"},
      {"}", "unexpected character"},
      {"$", "unexpected character"},
      {"{1", "unexpected character inside braces"},
      {"{a!b", "unexpected character after '!' inside braces"},
      {"=", "unexpected character after '='"},
      {"!x", "unexpected character after '!'"},
      {"5mx", "bad number or duration syntax: \"5mx\""},
      {"1__0", "bad number or duration syntax: \"1__0\""},
      {"\"a", "unterminated quoted string"},
      {"'a\n'", "unterminated quoted string"},
      {"\"a\\", "unterminated quoted string"},
      {"`a", "unterminated raw string"},
      {"\"\xff\"", "invalid UTF-8 in a string"},
      {"\"a\xEF\xBF\xBD\"", "invalid UTF-8 in a string"},
  };
  for (const auto& one : table) {
    const Read tokens = read(one.text);
    ASSERT_FALSE(tokens.empty()) << one.text;
    EXPECT_EQ(tokens.back(), std::pair(Kind::kError, std::string(one.message))) << one.text;
  }
}

TEST(Lexer, AFaultIsTheEnd) {
  Lexer lexer("$ up", Dialect::kPrometheus3);
  EXPECT_EQ(lexer.next().kind, Kind::kError);
  EXPECT_EQ(lexer.next().kind, Kind::kError);
  EXPECT_EQ(lexer.message(), "unexpected character");
}

TEST(Lexer, WordsAndSpellingsOf3AreNoneOf2) {
  EXPECT_THAT(read("1_000", Dialect::kPrometheus3), ElementsAre(std::pair(Kind::kNumber, "1_000")));
  EXPECT_EQ(read("1_000", Dialect::kPrometheus2).back().first, Kind::kError);
  EXPECT_THAT(read("limitk", Dialect::kPrometheus3),
              ElementsAre(std::pair(Kind::kAggregate, "limitk")));
  EXPECT_THAT(read("limitk", Dialect::kPrometheus2),
              ElementsAre(std::pair(Kind::kIdentifier, "limitk")));
}

}  // namespace
}  // namespace vigia::promql::internal
