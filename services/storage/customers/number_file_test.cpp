#include "services/storage/customers/number_file.hpp"

#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "libs/base/testing/temporary_folder.hpp"

namespace vigia::storage::customers {
namespace {

const CustomerId kA = CustomerId::parse("cliente-a").value();
const CustomerId kB = CustomerId::parse("cliente-b").value();

class NumberFileTest : public ::testing::Test {
 protected:
  Result<std::unique_ptr<NumberFile>> open() {
    return NumberFile::open(path_, disk_log::system_files());
  }
  static void spoil(const std::string& path) { std::ofstream(path) << ":cliente-x, 00000000\n"; }

  const TemporaryFolder folder_;
  const std::string path_ = folder_.path() + "/vigia-customers";
};

TEST_F(NumberFileTest, ANumberIsItsCustomersOverAllStarts) {
  {
    const auto numbers = open().value();
    EXPECT_EQ(numbers->number_of(kA)->value, 1U);
    EXPECT_EQ(numbers->number_of(CustomerId::provider())->value, 2U);
    EXPECT_EQ(numbers->number_of(kA)->value, 1U);
  }
  const auto numbers = open().value();
  EXPECT_EQ(numbers->id_of({1}), kA);
  EXPECT_EQ(numbers->id_of({2}), CustomerId::provider());
  EXPECT_FALSE(numbers->id_of({3}));
  EXPECT_FALSE(numbers->id_of({0}));
  EXPECT_EQ(numbers->number_of(kB)->value, 3U);
}

TEST_F(NumberFileTest, WhoIsForgottenIsNamedNowhereAndHisNumberIsGivenToNobody) {
  {
    const auto numbers = open().value();
    ASSERT_EQ(numbers->number_of(kA)->value, 1U);
    ASSERT_EQ(numbers->number_of(kB)->value, 2U);
    ASSERT_TRUE(numbers->forget(kB));
    EXPECT_FALSE(numbers->id_of({2}));
    EXPECT_EQ(numbers->number_of(kB)->value, 3U);
    ASSERT_TRUE(numbers->forget(kB));
    EXPECT_TRUE(numbers->forget(CustomerId::provider()));  // nobody
  }
  for (const std::string ending : {"", ".copy"}) {
    std::ifstream file(path_ + ending);
    const std::string text{std::istreambuf_iterator<char>(file), {}};
    EXPECT_THAT(text, testing::StartsWith(":cliente-a,,, "));
  }
  const auto numbers = open().value();
  EXPECT_EQ(numbers->id_of({1}), kA);
  EXPECT_EQ(numbers->number_of(kB)->value, 4U);
}

TEST_F(NumberFileTest, WhoLooksChangesNothingAndIsToldByWhicheverFileIsWhole) {
  EXPECT_THAT(NumberFile::look(path_), testing::IsEmpty());
  EXPECT_FALSE(std::filesystem::exists(path_));
  {
    const auto numbers = open().value();
    ASSERT_TRUE(numbers->number_of(kA));
    ASSERT_TRUE(numbers->number_of(kB));
    ASSERT_TRUE(numbers->forget(kA));
  }
  const std::map<std::uint32_t, CustomerId> known{{2, kB}};
  EXPECT_EQ(NumberFile::look(path_), known);
  spoil(path_);
  EXPECT_EQ(NumberFile::look(path_), known);
  spoil(path_ + ".copy");
  EXPECT_THAT(NumberFile::look(path_), testing::IsEmpty());
}

// What the log names is given to nobody else, also where the file does not know whose it was.
TEST_F(NumberFileTest, NumbersThatAreUsedAreNotGivenAgain) {
  {
    const auto numbers = open().value();
    numbers->note_used({7});
    EXPECT_FALSE(numbers->id_of({7}));
    EXPECT_EQ(numbers->number_of(kA)->value, 8U);
    EXPECT_EQ(numbers->keep_unowned({7}, {}).error().code, ErrorCode::kNotFound);
  }
  const auto numbers = open().value();
  EXPECT_FALSE(numbers->id_of({7}));
  EXPECT_EQ(numbers->number_of(kB)->value, 9U);
}

TEST_F(NumberFileTest, OneDamagedFileCostsNothingBothAreRefused) {
  EXPECT_EQ(open().value()->number_of(kA)->value, 1U);
  spoil(path_);
  EXPECT_EQ(open().value()->id_of({1}), kA);
  spoil(path_);
  spoil(path_ + ".copy");
  const auto refused = open();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kCorrupt);
  EXPECT_THAT(refused.error().message, ::testing::HasSubstr(path_));
}

TEST_F(NumberFileTest, AFileOfNoCustomersIsThereFromTheStart) {
  ASSERT_TRUE(open());
  EXPECT_TRUE(std::filesystem::exists(path_));
}

}  // namespace
}  // namespace vigia::storage::customers
