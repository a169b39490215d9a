#include "services/storage/healing/heal_note.hpp"

#include <filesystem>
#include <fstream>
#include <iterator>

#include <gtest/gtest.h>

#include "libs/base/testing/temporary_folder.hpp"

namespace vigia::storage::healing {
namespace {

constexpr std::string_view kUrl = "http://127.0.0.1:9090";
constexpr TimestampMs kDeleted = 1'764'050'000'000;

HealedUpTo some() {
  return {{CustomerId::provider(), 1'764'043'200'000},
          {CustomerId::parse("cliente-a").value(), 1'764'046'800'000}};
}

std::string golden() {
  std::ifstream file("tests/golden/heal_note/v1", std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

TEST(HealNoteText, IsAsItsPageSays) {
  EXPECT_EQ(encode_note(kUrl, some()), golden());
  const auto read = decode_note(kUrl, golden());
  ASSERT_TRUE(read.has_value()) << read.error().message;
  EXPECT_EQ(*read, some());
  EXPECT_EQ(decode_note(kUrl, encode_note(kUrl, {})).value(), HealedUpTo());
}

TEST(HealNoteText, EveryFlippedBitAndEveryCutIsFound) {
  const std::string whole = golden();
  for (std::size_t bit = 0; bit < whole.size() * 8; ++bit) {
    std::string damaged = whole;
    damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1U << bit % 8));
    EXPECT_FALSE(decode_note(kUrl, damaged).has_value()) << "bit " << bit;
  }
  for (std::size_t bytes = 0; bytes < whole.size(); ++bytes) {
    EXPECT_FALSE(decode_note(kUrl, std::string_view(whole).substr(0, bytes)).has_value()) << bytes;
  }
}

TEST(HealNoteText, AnotherPrometheusIsToldFromDamage) {
  const auto other = decode_note("http://127.0.0.1:9190", golden());
  ASSERT_FALSE(other.has_value());
  EXPECT_EQ(other.error().code, ErrorCode::kNotFound);
}

TEST(HealNoteFile, KeepsAndBeginsAnewWhereItCannotBeRead) {
  const TemporaryFolder folder;
  const std::string path = folder.path() + "/vigia-healed";
  const HealNote note(folder.path(), std::string(kUrl), disk_log::system_files());
  EXPECT_EQ(note.load(), std::nullopt);
  ASSERT_TRUE(note.keep(some()).has_value());
  EXPECT_EQ(note.load(), some());
  EXPECT_EQ(HealNote(folder.path(), "http://other", disk_log::system_files()).load(), std::nullopt);
  std::filesystem::resize_file(path, 20);
  EXPECT_EQ(note.load(), std::nullopt);
  ASSERT_TRUE(note.keep(some()).has_value());
  EXPECT_EQ(note.load(), some());
  const HealNote nowhere(folder.path() + "/none", "x", disk_log::system_files());
  EXPECT_FALSE(nowhere.keep(some()).has_value());
}

TEST(HealNoteFile, ACustomerIsTakenOutAndTheOthersStay) {
  const TemporaryFolder folder;
  disk_log::FileSystem& files = disk_log::system_files();
  const CustomerId customer = CustomerId::parse("cliente-a").value();
  const std::string path = folder.path() + "/vigia-healed";
  EXPECT_TRUE(forget_customer(folder.path(), customer, kDeleted, files).has_value());
  const HealNote note(folder.path(), std::string(kUrl), files);
  EXPECT_EQ(note.load(), std::nullopt) << "none is made";
  EXPECT_EQ(note.floor_ms(), kDeleted) << "and yet a first start knows where to begin";
  ASSERT_TRUE(note.keep(some()).has_value());
  std::ofstream(path + ".new") << "half of it, cliente-a";
  ASSERT_TRUE(forget_customer(folder.path(), customer, kDeleted, files).has_value());
  HealedUpTo left = some();
  left.erase(customer);
  EXPECT_EQ(note.load(), left);
  EXPECT_FALSE(std::filesystem::exists(path + ".new"));
  std::filesystem::resize_file(path, 20);
  std::ofstream(path + ".new") << "half of it";
  ASSERT_TRUE(forget_customer(folder.path(), customer, kDeleted, files).has_value());
  EXPECT_EQ(files.list(folder.path()).value(), std::vector<std::string>{"vigia-heal-from"})
      << "it may name him";
}

TEST(HealNoteFile, WhoeverWasDeletedBeginsNoEarlierWhateverTheClockSays) {
  const TemporaryFolder folder;
  disk_log::FileSystem& files = disk_log::system_files();
  const CustomerId customer = CustomerId::parse("cliente-a").value();
  const HealNote note(folder.path(), std::string(kUrl), files);
  EXPECT_EQ(note.floor_ms(), 0);
  ASSERT_TRUE(note.keep(some()).has_value());
  const TimestampMs newest = some().at(customer);
  ASSERT_TRUE(forget_customer(folder.path(), customer, newest - 5, files).has_value());
  EXPECT_EQ(note.floor_ms(), newest);
  ASSERT_TRUE(forget_customer(folder.path(), customer, newest + 5, files).has_value());
  ASSERT_TRUE(forget_customer(folder.path(), customer, 5, files).has_value());
  EXPECT_EQ(note.floor_ms(), newest + 5) << "it is never set back";
  const std::string path = folder.path() + "/vigia-heal-from";
  std::ifstream file(path, std::ios::binary);
  const std::string whole{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  EXPECT_EQ(whole.find("cliente-a"), std::string::npos) << "it names nobody";
  for (std::size_t bit = 0; bit < whole.size() * 8; bit += 29) {  // each is a file written anew
    std::string damaged = whole;
    damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1U << bit % 8));
    std::ofstream(path, std::ios::binary) << damaged;
    ASSERT_FALSE(note.floor_ms().has_value()) << "bit " << bit;
  }
  ASSERT_TRUE(forget_customer(folder.path(), customer, newest + 9, files).has_value());
  EXPECT_EQ(note.floor_ms(), newest + 9);
}

}  // namespace
}  // namespace vigia::storage::healing
