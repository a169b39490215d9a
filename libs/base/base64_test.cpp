#include "libs/base/base64.hpp"

#include <gtest/gtest.h>

#include "libs/base/hex.hpp"

namespace vigia {
namespace {

// The test vectors of RFC 4648, section 10, and bytes that need every kind of digit.
TEST(Base64, WritesAndReads) {
  const struct {
    std::string_view bytes;
    std::string_view text;
  } table[] = {{"", ""},
               {"f", "Zg=="},
               {"fo", "Zm8="},
               {"foo", "Zm9v"},
               {"foob", "Zm9vYg=="},
               {"fooba", "Zm9vYmE="},
               {"foobar", "Zm9vYmFy"},
               {"\xfb\xef\xff", "++//"},
               {std::string_view("\0\0\xff", 3), "AAD/"}};
  for (const auto& [bytes, text] : table) {
    EXPECT_EQ(to_base64(bytes), text);
    const std::string_view unpadded = text.substr(0, text.find('='));
    EXPECT_EQ(to_base64_unpadded(bytes), unpadded);
    EXPECT_EQ(from_base64(text), bytes);
    EXPECT_EQ(from_base64(unpadded), bytes);
  }
}

TEST(Base64, TakesTheUrlsAlphabetAndBitsBehindTheLastByte) {
  EXPECT_EQ(from_base64("--__"), "\xfb\xef\xff");
  EXPECT_EQ(from_base64("-+_/"), "\xfb\xef\xff");
  EXPECT_EQ(from_base64("Zh=="), "f");
}

TEST(Base64, RefusesWhatIsNone) {
  for (const auto* text : {"Z", "Zg=", "Zm9vY", "Zm 8", "Zm9v\n", "Z=g", "é", "Zm9v.", "Zg==a"}) {
    const bool is_short_padding = std::string_view(text) == "Zg=";
    EXPECT_EQ(from_base64(text).has_value(), is_short_padding) << text;
  }
}

TEST(Hex, WritesLowerCaseAndReadsEither) {
  EXPECT_EQ(to_hex({"\x00\xab\xff", 3}), "00abff");
  EXPECT_EQ(to_hex(""), "");
  EXPECT_EQ(from_hex("00aBFf"), std::string("\x00\xab\xff", 3));
  EXPECT_EQ(from_hex(""), "");
  for (const auto* text : {"0", "abc", "0g", "g0", "0x", "a b", " ab", "ab ", "a:bc"}) {
    EXPECT_EQ(from_hex(text), std::nullopt) << text;
  }
}

}  // namespace
}  // namespace vigia
