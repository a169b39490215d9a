#include "libs/tenancy/kept_directory.hpp"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "libs/base/hex.hpp"
#include "libs/base/testing/temporary_folder.hpp"

namespace vigia::tenancy {
namespace {

constexpr std::int64_t kNow = 1'800'000'000'000;

std::string read(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

void write(const std::string& path, std::string_view text) {
  std::ofstream(path, std::ios::binary) << text;
}

/// Two customers with a token each; `revision` tells one document from another.
std::string document(int revision) {
  const auto customer = [](std::string_view id) {
    return R"({"id":"cliente-)" + std::string(id) + R"(","tokens":[{"token_sha256":")" +
           sha256_hex(id) + R"(","scope":"read"}]})";
  };
  return R"({"database":"d","revision":)" + std::to_string(revision) + R"(,"customers":[)" +
         customer("b") + "," + customer("c") + R"(],"operators":[]})";
}

class Kept : public ::testing::Test {
 protected:
  KeptFile file() const { return KeptFile(path_); }
  const TemporaryFolder folder_;
  const std::string path_ = folder_.file("directory.json");
};

TEST_F(Kept, TheNewestIsReadAndTheOneBeforeStays) {
  EXPECT_FALSE(file().load(kNow).directory.has_value());
  EXPECT_TRUE(file().load(kNow).problems.empty()) << "the first start has none";
  ASSERT_TRUE(file().store(document(1)).has_value());
  ASSERT_TRUE(file().store(document(2)).has_value());
  const auto loaded = file().load(kNow);
  ASSERT_TRUE(loaded.directory.has_value());
  EXPECT_EQ(loaded.directory->text, document(2));
  EXPECT_EQ(loaded.directory->snapshot.mark.revision, 2);
  EXPECT_EQ(loaded.directory->snapshot.mark.database, "d");
  EXPECT_FALSE(loaded.directory->is_previous);
  EXPECT_TRUE(std::filesystem::exists(path_ + ".previous"));
  struct stat status{};
  ASSERT_EQ(::stat(path_.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0600U);
}

TEST_F(Kept, AKillBetweenTheRenamesLeavesTheOneBefore) {
  ASSERT_TRUE(file().store(document(1)).has_value());
  std::filesystem::rename(path_, path_ + ".previous");
  const auto loaded = file().load(kNow);
  ASSERT_TRUE(loaded.directory.has_value());
  EXPECT_TRUE(loaded.directory->is_previous);
  EXPECT_TRUE(loaded.problems.empty());
}

// Every flipped bit and every cut: the whole file is refused, and the one before it is used.
TEST_F(Kept, NoFlippedBitAndNoCutIsTaken) {
  ASSERT_TRUE(file().store(document(1)).has_value());
  const std::string previous = read(path_);
  ASSERT_TRUE(file().store(document(2)).has_value());
  const std::string good = read(path_);
  const auto expect_previous = [&](const std::string& damaged, std::size_t at) {
    write(path_, damaged);
    write(path_ + ".previous", previous);
    const auto loaded = file().load(kNow);
    ASSERT_TRUE(loaded.directory.has_value()) << at;
    EXPECT_EQ(loaded.directory->text, document(1)) << at;
    EXPECT_TRUE(loaded.directory->is_previous);
    ASSERT_EQ(loaded.problems.size(), 1U) << at;
    EXPECT_NE(loaded.problems.front().find(path_), std::string::npos);
    EXPECT_EQ(read(path_ + ".damaged"), damaged);
  };
  for (std::size_t at = 0; at < good.size(); ++at) {
    std::string damaged = good;
    damaged[at] = static_cast<char>(damaged[at] ^ (1 << (at % 8)));
    expect_previous(damaged, at);
    expect_previous(good.substr(0, at), at);
  }
}

TEST_F(Kept, BothDamagedIsNothingAtAll) {
  ASSERT_TRUE(file().store(document(1)).has_value());
  ASSERT_TRUE(file().store(document(2)).has_value());
  write(path_, "");
  write(path_ + ".previous", read(path_ + ".previous").substr(0, 90));
  const auto loaded = file().load(kNow);
  EXPECT_FALSE(loaded.directory.has_value());
  EXPECT_EQ(loaded.problems.size(), 2U);
}

// F4: one bit makes "cliente-b" another "cliente-c", whose tokens then read the other's data.
TEST_F(Kept, AFileOfBeforeTheChecksumIsReadUnlessACustomerStandsTwice) {
  write(path_, document(7));
  const auto loaded = file().load(kNow);
  ASSERT_TRUE(loaded.directory.has_value());
  EXPECT_EQ(loaded.directory->snapshot.mark.revision, 7);
  std::string doubled = document(7);
  doubled[doubled.find("cliente-b") + 8] ^= 1;
  ASSERT_NE(doubled, document(7));
  write(path_, doubled);
  const auto refused = file().load(kNow);
  EXPECT_FALSE(refused.directory.has_value());
  ASSERT_EQ(refused.problems.size(), 1U);
  EXPECT_NE(refused.problems.front().find("cliente-c: the customer is given twice"),
            std::string::npos)
      << refused.problems.front();
}

TEST_F(Kept, VersionOneIsPinned) {
  const std::string golden = read("tests/golden/tenancy/directory-v1.json");
  ASSERT_FALSE(golden.empty());
  write(path_, golden);
  const auto loaded = file().load(kNow);
  ASSERT_TRUE(loaded.directory.has_value());
  EXPECT_EQ(loaded.directory->snapshot.directory->customers().size(), 2U);
  ASSERT_TRUE(file().store(loaded.directory->text).has_value());
  EXPECT_EQ(read(path_), golden);
}

}  // namespace
}  // namespace vigia::tenancy
