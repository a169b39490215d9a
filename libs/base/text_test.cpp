#include <gtest/gtest.h>

#include "libs/base/characters.hpp"
#include "libs/base/json_text.hpp"
#include "libs/base/utf8.hpp"

namespace vigia {
namespace {

TEST(Utf8, TakesEveryLength) {
  for (const auto* text : {"", "a", "\x7f", "ñ", "\xdf\xbf", "\xe0\xa0\x80", "€", "\xed\x9f\xbf",
                           "\xee\x80\x80", "🟢", "\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbf"}) {
    EXPECT_TRUE(is_utf8(text)) << text;
    EXPECT_EQ(utf8_length(text), std::string_view(text).size());
    EXPECT_EQ(to_utf8(text), text);
  }
}

TEST(Utf8, RefusesWhatRfc3629Refuses) {
  for (const auto* text :
       {"\x80", "\xbf", "\xc0\xaf", "\xc1\xbf", "\xc3", "\xc3\x28", "\xe0\x9f\xbf", "\xe2\x82",
        "\xed\xa0\x80", "\xed\xbf\xbf", "\xf0\x8f\xbf\xbf", "\xf0\x9f\x9f", "\xf4\x90\x80\x80",
        "\xf5\x80\x80\x80", "\xff"}) {
    EXPECT_FALSE(is_utf8(text));
    EXPECT_EQ(utf8_length(text), 0U);
    EXPECT_FALSE(is_utf8("good " + std::string(text)));
  }
}

TEST(Utf8, ACodePointIsOneCharacter) {
  EXPECT_EQ(utf8_of(0), std::string(1, '\0'));
  EXPECT_EQ(utf8_of('a') + utf8_of(0xf1) + utf8_of(0x20ac) + utf8_of(0x1f7e2), "añ€🟢");
  for (const std::uint32_t point :
       {0x7fU, 0x80U, 0x7ffU, 0x800U, 0xd7ffU, 0xe000U, 0xffffU, 0x10000U, 0x10ffffU}) {
    const std::string character = utf8_of(point);
    EXPECT_EQ(utf8_length(character), character.size()) << point;
  }
  for (const std::uint32_t point : {0xd800U, 0xdfffU, 0x110000U, UINT32_MAX}) {
    EXPECT_EQ(utf8_of(point), "") << point;
  }
}

TEST(Utf8, ABeginningEndsWithAWholeCharacter) {
  const std::string text =
      "a\xe2\x82\xac"
      "b\xf0\x9f\x98\x80";
  std::vector<std::size_t> sizes;
  for (std::size_t max = 0; max <= text.size() + 1; ++max) {
    sizes.push_back(utf8_beginning(text, max).size());
    EXPECT_TRUE(is_utf8(utf8_beginning(text, max))) << max;
  }
  EXPECT_EQ(sizes, (std::vector<std::size_t>{0, 1, 1, 1, 4, 5, 5, 5, 5, 9, 9}));
  EXPECT_EQ(utf8_beginning(std::string(9, '\x80'), 5).size(), 5U);
}

TEST(Utf8, EachBadByteIsReplacedByItself) {
  EXPECT_EQ(to_utf8("a\xc3\x28z"), "a\xef\xbf\xbd(z");
  EXPECT_EQ(to_utf8("\xe2\x82"), "\xef\xbf\xbd\xef\xbf\xbd");
}

TEST(JsonText, EscapesAndRepairs) {
  EXPECT_EQ(json_text(""), R"("")");
  EXPECT_EQ(json_text("a\"b\\c/\n\r\t"), R"("a\"b\\c/\n\r\t")");
  EXPECT_EQ(json_text(std::string_view("\0\x1f\x7f", 3)), R"("\u0000\u001f\u007f")");
  EXPECT_EQ(json_text("ñ€🟢"), "\"ñ€🟢\"");
  EXPECT_EQ(json_text("\xff"), "\"\xef\xbf\xbd\"");
}

TEST(JsonText, IsMeasuredWithoutBeingMade) {
  for (int code = 0; code < 0x80; ++code) {
    const std::string text(3, static_cast<char>(code));
    EXPECT_EQ(json_text_bytes(text), json_text(text).size()) << code;
  }
  EXPECT_EQ(json_text_bytes("ñ€🟢"), json_text("ñ€🟢").size());
  EXPECT_GE(json_text_bytes("ñ\xff"), json_text("ñ\xff").size());
}

TEST(Characters, AreCountedAsPeopleDo) {
  EXPECT_EQ(count_characters(""), 0U);
  EXPECT_EQ(count_characters("añ€🟢\xff"), 5U);
  EXPECT_EQ(one_line("a\u0085b\u2028c\x7f", 10), "a b c ");
}

}  // namespace
}  // namespace vigia
