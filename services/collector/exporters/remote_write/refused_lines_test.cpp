#include "services/collector/exporters/remote_write/refused_lines.hpp"

#include <gtest/gtest.h>

#include "libs/wire/remote_write/write_request.hpp"

namespace vigia::collector::exporters::remote_write {
namespace {

std::string bytes_of(std::vector<Label> labels) {
  return wire::remote_write::encode_labels(Labels::from(std::move(labels)));
}

TEST(RefusedLines, NamesTheSeriesOfEachLine) {
  const auto found = read_refused_lines(
      "out of order sample for series {__name__=\"up\", node=\"n\"}\n"
      "something else\n"
      "duplicate sample for timestamp for series {__name__=\"b\"}\n");
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(count_refused_lines("a for series {x=\" for series {\"}\nb\nc for series {}"), 2U);
  EXPECT_EQ(count_refused_lines(""), 0U);
  EXPECT_EQ(found[0].kind, bytes_of({{"__name__", "up"}, {"node", "n"}}));
  EXPECT_EQ(found[0].why, "out of order sample");
  EXPECT_EQ(found[1].kind, bytes_of({{"__name__", "b"}}));
}

// A value with all that a line is made of stays one value.
TEST(RefusedLines, ReadsGosEscapes) {
  const auto found = read_refused_lines(
      R"(out of bounds for series {a="q\"}, x=\n\\ for series {", b="\u00a0\x00\U0001f600ñ"})");
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].kind, bytes_of({{"a", "q\"}, x=\n\\ for series {"},
                                     {"b", std::string("\xc2\xa0\0\xf0\x9f\x98\x80\xc3\xb1", 9)}}));
}

TEST(RefusedLines, WhatIsCutOffIsNotNamed) {
  const std::string line = R"(out of bounds for series {a="b\"c", d="\u00a0"})";
  EXPECT_EQ(read_refused_lines(line).size(), 1U);
  for (std::size_t size = 0; size < line.size(); ++size)
    EXPECT_TRUE(read_refused_lines(std::string_view(line).substr(0, size)).empty()) << size;
  EXPECT_TRUE(read_refused_lines("x for series {a=\"\\q\"}").empty());
  std::string many;
  for (int i = 0; i < 1'000; ++i) many += line + "\n";
  EXPECT_EQ(read_refused_lines(many).size(), kLinesReadMax);
}

}  // namespace
}  // namespace vigia::collector::exporters::remote_write
