#include "libs/disk_log/store_identity.hpp"

#include <fstream>
#include <iterator>

#include <gtest/gtest.h>

#include "libs/disk_log/testing/memory_files.hpp"

namespace vigia::disk_log {
namespace {

constexpr std::int64_t kNow = 1'764'349'999'000;

TEST(StoreIdentityTest, ItsTextIsReadBackAndNothingElseIs) {
  const StoreIdentity made = make_store_identity(kNow);
  EXPECT_EQ(made.id.size(), 16U);
  EXPECT_NE(made.id, make_store_identity(kNow).id);
  EXPECT_EQ(parse_store_identity(to_text(made)), made);
  for (const char* text :
       {"", " ", "0123456789abcdef", "0123456789abcdef ", "0123456789abcdef -1",
        "0123456789abcdef 1 ", "0123456789ABCDEF 1", "0123456789abcde 1", "0123456789abcdef0 1",
        "0123456789abcdef 99999999999999999999", "0123456789abcdef  1"}) {
    EXPECT_FALSE(parse_store_identity(text).has_value()) << text;
  }
}

TEST(StoreIdentityTest, TheFileIsPinned) {
  MemoryFiles files;
  const KeptLineForm form = store_identity_form("/data/vigia-store-id");
  ASSERT_TRUE(write_kept_line(form, to_text({"0123456789abcdef", kNow}), files));
  std::ifstream golden("tests/golden/store_id/v1");
  const std::string pinned{std::istreambuf_iterator<char>(golden), {}};
  EXPECT_EQ(files.content("/data/vigia-store-id"), pinned);
  EXPECT_EQ(files.content("/data/vigia-store-id.copy"), pinned);
}

TEST(StoreIdentityTest, NoFlippedBitChangesIt) {
  MemoryFiles files;
  const KeptLineForm form = store_identity_form("/data/vigia-store-id");
  const std::string text = to_text(make_store_identity(kNow));
  ASSERT_TRUE(write_kept_line(form, text, files));
  const std::string good = files.content(form.path);
  for (std::size_t byte = 0; byte < good.size(); ++byte) {
    for (int bit = 0; bit < 8; ++bit) {
      std::string bad = good;
      bad[byte] = static_cast<char>(bad[byte] ^ (1 << bit));
      files.set_content(form.path, bad);
      const auto line = read_kept_line(form, files);
      ASSERT_TRUE(line);
      ASSERT_EQ(line->text, text) << "byte " << byte << " bit " << bit;
      ASSERT_EQ(line->damaged, 1);
      ASSERT_EQ(files.content(form.path), good) << "it is mended";
    }
  }
}

}  // namespace
}  // namespace vigia::disk_log
