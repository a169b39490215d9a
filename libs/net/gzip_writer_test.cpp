#include "libs/net/gzip_writer.hpp"

#include <random>

#include <gtest/gtest.h>

#include "libs/net/compression.hpp"

namespace vigia::net {
namespace {

TEST(GzipWriter, PiecesOfAnySizeAreOneBody) {
  std::mt19937 random(4);
  std::string text;
  for (int i = 0; i < 300'000; ++i) {
    // Half of it is easy, half is hard.
    text += static_cast<char>(i % 2'000 < 1'000 ? i / 2'000 : random());
  }
  for (const std::size_t piece : {std::size_t{1'000}, std::size_t{65'536}, text.size()}) {
    GzipWriter writer;
    std::string body;
    for (std::size_t at = 0; at < text.size(); at += piece) {
      body += writer.add(std::string_view(text).substr(at, piece));
      body += writer.add("");
    }
    body += writer.finish();
    EXPECT_LT(body.size(), text.size() * 2 / 3);
    const auto again = decompress("gzip", body, text.size());
    ASSERT_TRUE(again.has_value()) << again.error().message;
    EXPECT_TRUE(*again == text) << piece;
  }
}

TEST(GzipWriter, NothingIsABodyToo) {
  GzipWriter writer;
  EXPECT_EQ(decompress("gzip", writer.finish(), 10).value(), "");
}

}  // namespace
}  // namespace vigia::net
