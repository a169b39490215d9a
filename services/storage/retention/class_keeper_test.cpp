// Nobody's data are kept shorter by mistake.
#include "services/storage/retention/class_keeper.hpp"

#include <filesystem>
#include <fstream>
#include <future>
#include <thread>

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "libs/base/bytes.hpp"
#include "libs/base/crc32c.hpp"
#include "libs/base/testing/temporary_folder.hpp"

namespace vigia::storage::retention {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr Duration kDay = hours(24);
constexpr TimestampMs kDayMs = 86'400'000;
constexpr TimestampMs kNow = 20'000 * kDayMs;

class ClassKeeperTest : public testing::Test {
 protected:
  ClassKeeperTest() {
    all_[DataKind::kRaw] = 400 * kDay;
    all_[DataKind::kLogs] = 30 * kDay;
    Keeps keeps = all_;
    keeps[DataKind::kRaw] = 730 * kDay;
    settings_.classes["long"] = keeps;
    keeps[DataKind::kRaw] = 30 * kDay;
    keeps[DataKind::kLogs] = 90 * kDay;
    settings_.classes["short"] = keeps;
    settings_.customers_file = folder_.path() + "/customers.yaml";
  }
  void say(const std::string& customers) {
    std::ofstream(settings_.customers_file) << "customers: [" << customers << "]\n";
  }
  Result<void> open(std::vector<CustomerId> known = {}) {
    keeper_ = std::make_unique<ClassKeeper>(settings_, all_, state_file(), clock_);
    known.push_back(a_);
    known.push_back(b_);
    return keeper_->open(known);
  }
  std::string state_file() const { return folder_.path() + "/state"; }
  /// The hour is up, with looks in between.
  void wait(Duration longest) {
    for (Duration done{0}; done < longest; done += minutes(10)) {
      keeper_->look();
      clock_.advance(minutes(10));
    }
    keeper_->look();
  }
  long raw_days(const CustomerId& customer) const { return days(customer, DataKind::kRaw); }
  long days(const CustomerId& customer, DataKind kind) const {
    return keeper_->keep_of(customer, kind) / kDay;
  }

  TemporaryFolder folder_;
  ManualClock clock_{kNow * 1'000'000};
  Keeps all_;
  ClassSettings settings_;
  std::unique_ptr<ClassKeeper> keeper_;
  const CustomerId a_ = CustomerId::parse("cliente-a").value();
  const CustomerId b_ = CustomerId::parse("cliente-b").value();
  const CustomerId c_ = CustomerId::parse("cliente-c").value();
};

TEST_F(ClassKeeperTest, LongerCountsAtOnceAndShorterAfterAnHour) {
  say("{id: cliente-a, class: long}, {id: cliente-b, class: short}");
  ASSERT_TRUE(open().has_value());
  EXPECT_EQ(raw_days(a_), 730);
  EXPECT_EQ(raw_days(b_), 400) << "the default, which he was kept by";
  EXPECT_EQ(days(b_, DataKind::kLogs), 90) << "what of it is longer counts at once";
  EXPECT_EQ(raw_days(c_), 400);
  EXPECT_EQ(keeper_->stats().held, 1U);
  wait(minutes(50));
  EXPECT_EQ(raw_days(b_), 400);
  wait(minutes(10));
  EXPECT_EQ(raw_days(b_), 30);
  EXPECT_EQ(keeper_->stats().held, 0U);
  const store::ExpiryCuts cuts = keeper_->cuts(DataKind::kRaw, kNow);
  EXPECT_EQ(cuts.of(a_), kNow - 730 * kDayMs);
  EXPECT_EQ(cuts.of(b_), kNow - 30 * kDayMs);
  EXPECT_EQ(cuts.of(c_), kNow - 400 * kDayMs);
  EXPECT_EQ(keeper_->longest(DataKind::kRaw), 730 * kDay);
  EXPECT_EQ(keeper_->shortest(), 30 * kDay);
}

TEST_F(ClassKeeperTest, AClassGoesUpAndDownOverRestarts) {
  say("{id: cliente-a, class: short}");
  ASSERT_TRUE(open().has_value());
  wait(hours(1));
  ASSERT_EQ(raw_days(a_), 30);
  say("{id: cliente-a, class: long}");
  ASSERT_TRUE(open().has_value());
  EXPECT_EQ(raw_days(a_), 730);
  say("{id: cliente-a, class: short}");
  for (int restart = 0; restart < 3; ++restart) {
    ASSERT_TRUE(open().has_value());
    wait(minutes(40));
    EXPECT_EQ(raw_days(a_), 730) << "each start begins the hour anew";
  }
  // So does another class in between.
  say("{id: cliente-a, class: long}");
  keeper_->look();
  say("{id: cliente-a, class: short}");
  wait(minutes(50));
  EXPECT_EQ(raw_days(a_), 730);
  EXPECT_FALSE(keeper_->confirm(b_));
  EXPECT_TRUE(keeper_->confirm(a_));
  EXPECT_EQ(raw_days(a_), 30);
  EXPECT_FALSE(keeper_->confirm(a_)) << "once";
  ASSERT_TRUE(open().has_value());
  EXPECT_EQ(raw_days(a_), 30);
}

// A class that keeps shorter since storage.yaml says so is the same to its customers.
TEST_F(ClassKeeperTest, AClassThatIsMadeShorterWaitsToo) {
  say("{id: cliente-a, class: long}");
  ASSERT_TRUE(open().has_value());
  settings_.classes["long"][DataKind::kRaw] = 500 * kDay;
  ASSERT_TRUE(open().has_value());
  EXPECT_EQ(raw_days(a_), 730);
  wait(hours(1));
  EXPECT_EQ(raw_days(a_), 500);
}

TEST_F(ClassKeeperTest, WhatTheFileSaysNothingOfNoTimeDecides) {
  say("{id: cliente-a, class: long}, {id: cliente-b, class: long}, {id: cliente-c, class: typo}");
  ASSERT_TRUE(open({c_}).has_value());
  EXPECT_EQ(raw_days(c_), 400);
  EXPECT_EQ(keeper_->stats().unknown, 1U);
  EXPECT_EQ(keeper_->stats().held, 0U);
  say("{id: cliente-a, class: lnog}");  // and b is gone
  wait(hours(48));
  EXPECT_EQ(raw_days(a_), 730);
  EXPECT_EQ(raw_days(b_), 730);
  EXPECT_EQ(keeper_->stats().held, 2U);
  EXPECT_EQ(keeper_->stats().unknown, 1U);
  // Nor that there are no classes any more.
  settings_.classes.clear();
  settings_.customers_file.clear();
  ASSERT_TRUE(open().has_value());
  wait(hours(48));
  EXPECT_EQ(raw_days(a_), 730);
  EXPECT_TRUE(keeper_->confirm(b_));
  EXPECT_EQ(raw_days(b_), 400);
  EXPECT_EQ(keeper_->stats().held, 1U);
  EXPECT_TRUE(keeper_->own(DataKind::kRaw).contains(a_));
  EXPECT_FALSE(keeper_->own(DataKind::kRaw).contains(b_));
}

// Whoever sees his mistake takes the file away, or is just writing another.
TEST_F(ClassKeeperTest, TheHourBeginsAnewWhenTheFileIsReadAgain) {
  say("{id: cliente-a, class: short}");
  ASSERT_TRUE(open().has_value());
  wait(minutes(50));
  std::filesystem::remove(settings_.customers_file);
  wait(hours(2));
  EXPECT_EQ(raw_days(a_), 400);
  std::ofstream(settings_.customers_file) << "customers: [";
  wait(hours(2));
  EXPECT_EQ(raw_days(a_), 400);
  EXPECT_EQ(keeper_->stats().held, 1U);
  say("{id: cliente-a, class: short}");
  wait(minutes(50));
  EXPECT_EQ(raw_days(a_), 400);
  wait(minutes(10));
  EXPECT_EQ(raw_days(a_), 30);
}

// His rows are gone, so nothing is kept for him: the command delete leaves not even his name.
TEST_F(ClassKeeperTest, WhoIsNowhereAnyMoreIsForgotten) {
  say("{id: cliente-c, class: long}");
  ASSERT_TRUE(open({c_}).has_value());
  say("");
  ASSERT_TRUE(open({c_}).has_value());
  EXPECT_EQ(raw_days(c_), 730);
  ASSERT_TRUE(open().has_value());
  EXPECT_EQ(raw_days(c_), 400);
  EXPECT_THAT(load_keeps(state_file()).value(), IsEmpty());
}

TEST_F(ClassKeeperTest, AFileThatCannotBeReadChangesNothing) {
  say("{id: cliente-a, class: long}");
  ASSERT_TRUE(open().has_value());
  for (const char* text : {"customers: [",
                           "customers: [{id: cliente-a, class: short}, {id: "
                           "cliente-a, class: long}]\n",
                           "clientes: [{id: cliente-a, class: short}]\n"}) {
    std::ofstream(settings_.customers_file) << text;
    const std::uint64_t failures = keeper_->stats().file_failures;
    wait(hours(2));
    EXPECT_GT(keeper_->stats().file_failures, failures) << text;
    EXPECT_EQ(raw_days(a_), 730) << text;
    EXPECT_EQ(keeper_->stats().held, 0U) << text;
  }
  std::filesystem::remove(settings_.customers_file);
  wait(hours(2));
  EXPECT_EQ(raw_days(a_), 730);
  EXPECT_FALSE(open().has_value()) << "a start wants it";
  // One bad entry is one.
  say("{id: 'not an id', class: long}, {id: cliente-c}, {id: cliente-a, class: long}");
  ASSERT_TRUE(open().has_value());
  EXPECT_EQ(keeper_->stats().left_out, 2U);
  EXPECT_EQ(raw_days(a_), 730);
}

TEST_F(ClassKeeperTest, WhereWhatCountedIsDamagedAPersonDecides) {
  say("{id: cliente-a, class: long}, {id: cliente-b, class: short}");
  ASSERT_TRUE(open({c_}).has_value());
  wait(hours(1));
  ASSERT_EQ(raw_days(b_), 30);
  std::string bytes = encode_keeps(load_keeps(state_file()).value());
  bytes[bytes.size() / 2] ^= 1;
  std::ofstream(state_file(), std::ios::binary) << bytes;
  ASSERT_EQ(load_keeps(state_file()).error().code, ErrorCode::kCorrupt);
  ASSERT_TRUE(open({c_}).has_value());
  std::ifstream damaged(damaged_path(state_file()), std::ios::binary);
  EXPECT_EQ(std::string(std::istreambuf_iterator<char>(damaged), {}), bytes) << "it is not lost";
  EXPECT_EQ(raw_days(a_), 730);
  EXPECT_EQ(raw_days(b_), 730) << "he may have been kept so long";
  EXPECT_EQ(raw_days(c_), 730) << "so may whom the file does not name";
  wait(hours(48));
  EXPECT_EQ(raw_days(b_), 730);
  ASSERT_TRUE(load_keeps(state_file()).has_value());
  ASSERT_TRUE(open({c_}).has_value());
  wait(hours(48));
  EXPECT_EQ(raw_days(b_), 730) << "a start makes no certainty of a guess";
  EXPECT_TRUE(keeper_->confirm(c_));
  EXPECT_EQ(raw_days(c_), 400);
  std::filesystem::remove(damaged_path(state_file()));
  wait(minutes(50));
  EXPECT_EQ(raw_days(b_), 730) << "the hour begins now";
  wait(minutes(10));
  EXPECT_EQ(raw_days(b_), 30);
}

// It may be whole: who takes it for damaged writes over what nobody else knows.
TEST_F(ClassKeeperTest, WhereWhatCountedCannotBeReadNothingStarts) {
  say("{id: cliente-a, class: long}");
  std::filesystem::create_directory(state_file());
  EXPECT_EQ(open().error().code, ErrorCode::kUnavailable);
  std::filesystem::remove(state_file());
  std::string bytes = encode_keeps({{b_, settings_.classes["long"]}});
  bytes.resize(bytes.size() - 4);
  bytes[4] = 2;  // the version
  append_u32(bytes, crc32c(bytes));
  std::ofstream(state_file(), std::ios::binary) << bytes;
  EXPECT_EQ(open().error().code, ErrorCode::kUnavailable);
  std::ifstream file(state_file(), std::ios::binary);
  EXPECT_EQ(std::string(std::istreambuf_iterator<char>(file), {}), bytes);
  EXPECT_FALSE(std::filesystem::exists(damaged_path(state_file())));
}

TEST_F(ClassKeeperTest, WhoAsksForARequestWaitsForNoDisk) {
  say("{id: cliente-a, class: long}");
  ASSERT_TRUE(open().has_value());
  std::filesystem::remove(settings_.customers_file);
  ASSERT_EQ(mkfifo(settings_.customers_file.c_str(), 0600), 0);
  std::thread looking([&] { keeper_->look(); });
  int writer = -1;  // there is one when somebody reads, who then waits for what it writes
  while ((writer = ::open(settings_.customers_file.c_str(), O_WRONLY | O_NONBLOCK)) < 0) {
    std::this_thread::yield();
  }
  auto asked = std::async(std::launch::async, [&] {
    keeper_->stats();
    if (keeper_->begin_sweep()) keeper_->end_sweep();
    return raw_days(a_);
  });
  EXPECT_EQ(asked.wait_for(std::chrono::seconds(10)), std::future_status::ready);
  close(writer);
  looking.join();
  EXPECT_EQ(asked.get(), 730);
}

// What was not written just now is not read each second; whoever writes it anew is.
TEST_F(ClassKeeperTest, AFileIsReadAgainWhenItIsAnother) {
  say("{id: cliente-a, class: typo}, {id: cliente-b, class: typo}");
  ASSERT_TRUE(open().has_value());
  clock_.advance(kTickMax);
  keeper_->look();
  keeper_->look();
  EXPECT_EQ(keeper_->stats().unknown, 2U);
  say("{id: cliente-a, class: long}, {id: cliente-b, class: typo}");
  keeper_->look();
  EXPECT_EQ(raw_days(a_), 730);
  std::ofstream(settings_.customers_file) << "customers: [";
  keeper_->look();
  clock_.advance(kTickMax);
  keeper_->look();
  keeper_->look();
  EXPECT_EQ(keeper_->stats().file_failures, 3U) << "it is refused as long as it says so";
}

// What he gets back for being kept longer would go by the cuts that were taken before.
TEST_F(ClassKeeperTest, LongerCountsWhenNothingExpiresByWhatWasBefore) {
  say("");
  ASSERT_TRUE(open().has_value());
  ASSERT_TRUE(keeper_->begin_sweep());
  say("{id: cliente-a, class: long}");
  keeper_->look();
  EXPECT_EQ(raw_days(a_), 400) << "neither taken nor read as if it were kept";
  EXPECT_EQ(keeper_->longest(DataKind::kRaw), 400 * kDay);
  EXPECT_EQ(load_keeps(state_file()).value().at(a_)[DataKind::kRaw], 730 * kDay);
  keeper_->end_sweep();
  EXPECT_EQ(raw_days(a_), 730) << "without another look";
  ASSERT_TRUE(keeper_->begin_sweep());
  EXPECT_EQ(keeper_->cuts(DataKind::kRaw, kNow).of(a_), kNow - 730 * kDayMs);
  keeper_->end_sweep();
}

TEST_F(ClassKeeperTest, NothingExpiresByWhatIsNotOnDisk) {
  say("");
  ASSERT_TRUE(open().has_value());
  std::filesystem::create_directory(state_file() + ".new");  // no draft can be written there
  say("{id: cliente-a, class: long}");
  keeper_->look();
  EXPECT_EQ(raw_days(a_), 730) << "it counts all the same";
  EXPECT_FALSE(keeper_->begin_sweep());
  EXPECT_EQ(keeper_->stats().state_failures, 1U);
  keeper_->look();
  EXPECT_FALSE(keeper_->begin_sweep());
  EXPECT_EQ(keeper_->stats().state_failures, 2U);
  std::filesystem::remove(state_file() + ".new");
  keeper_->look();
  ASSERT_TRUE(keeper_->begin_sweep());
  keeper_->end_sweep();
  EXPECT_EQ(load_keeps(state_file()).value().at(a_)[DataKind::kRaw], 730 * kDay);
  EXPECT_EQ(keeper_->stats().state_failures, 2U);
}

TEST_F(ClassKeeperTest, ForEverIsLongest) {
  settings_.classes["ever"] = Keeps();
  say("{id: cliente-a, class: ever}");
  ASSERT_TRUE(open().has_value());
  EXPECT_EQ(keeper_->cuts(DataKind::kRaw, kNow).of(a_), 0);
  EXPECT_EQ(keeper_->longest(DataKind::kLogs), Duration(0));
  say("{id: cliente-a, class: long}");
  keeper_->look();
  EXPECT_EQ(keeper_->cuts(DataKind::kRaw, kNow).of(a_), 0);
  EXPECT_EQ(keeper_->stats().held, 1U);
}

// The bytes are those of docs/formats/retention-customers.md.
TEST(KeepsFileTest, TheFormatIsPinned) {
  Keeps keeps;
  keeps[DataKind::kRaw] = std::chrono::milliseconds(0x0102);
  keeps[DataKind::kLogs] = std::chrono::milliseconds(3);
  const std::string bytes = encode_keeps({{CustomerId::parse("ab").value(), keeps}});
  using namespace std::string_literals;
  EXPECT_EQ(bytes.substr(0, bytes.size() - 4),
            "VGRC\x01\0\0\0\x01\0\0\0\x02"s + "ab" + "\x02\x01\0\0\0\0\0\0"s +
                std::string(4 * 8, '\0') + "\x03\0\0\0\0\0\0\0"s);
  EXPECT_EQ(decode_keeps(bytes)->at(CustomerId::parse("ab").value()), keeps);
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_FALSE(decode_keeps(std::string_view(bytes).substr(0, size)).has_value()) << size;
  }
  EXPECT_FALSE(decode_keeps(bytes + "x").has_value());
}

}  // namespace
}  // namespace vigia::storage::retention
