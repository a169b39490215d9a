#include "services/storage/keep/copy_kept.hpp"

#include <fstream>

#include <gtest/gtest.h>

#include "libs/base/testing/temporary_folder.hpp"
#include "services/storage/store/day_range.hpp"

namespace vigia::storage::keep {
namespace {

using std::chrono::hours;

class CopyKeepsTest : public testing::Test {
 protected:
  CopyKeepsTest() {
    all_.times.fill(hours(24 * 30));
    settings_.customers_file = folder_.path() + "/customers.yaml";
    settings_.classes["long"] = all_;
    settings_.classes["long"][retention::DataKind::kRaw] = hours(0);
    settings_.classes["short"] = all_;
    settings_.classes["short"][retention::DataKind::kLogs] = hours(24);
    write("customers: [{id: cliente-a, class: long}, {id: cliente-b, class: short}]");
  }
  void write(const std::string& text) const { std::ofstream(settings_.customers_file) << text; }
  std::string state() const { return folder_.path() + "/vigia-retention-customers"; }
  Result<CopyKeeps> read() const { return CopyKeeps::read(settings_, all_, state()); }
  CopyKept of(const char* customer) const {
    return read().value().of(CustomerId::parse(customer).value(), 1'000 * store::kDayMs);
  }

  TemporaryFolder folder_;
  retention::Keeps all_;
  retention::ClassSettings settings_;
};

TEST_F(CopyKeepsTest, LongerCountsAtOnceAndShorterIsNotDecidedHere) {
  EXPECT_EQ(of("cliente-a").samples, 0U);
  EXPECT_EQ(of("cliente-a").spans, 970U);
  EXPECT_EQ(of("cliente-b").records, 970U) << "the store itself waits for an hour";
  EXPECT_EQ(of("cliente-c").samples, 970U);
}

TEST_F(CopyKeepsTest, WhatCountedLastIsKept) {
  retention::CustomerKeeps own;
  own[CustomerId::parse("cliente-b").value()] = settings_.classes["short"];
  own[CustomerId::parse("cliente-c").value()] = settings_.classes["long"];
  ASSERT_TRUE(retention::store_keeps(state(), own));
  EXPECT_EQ(of("cliente-b").records, 999U);
  EXPECT_EQ(of("cliente-b").spans, 970U);
  EXPECT_EQ(of("cliente-c").samples, 0U) << "a file may be cut short";
}

TEST_F(CopyKeepsTest, AStoreIsToldHowLongEachIsKept) {
  const CopyKeeps keeps = read().value();
  const CustomerId a = CustomerId::parse("cliente-a").value();
  EXPECT_EQ(keeps.own(), std::vector<CustomerId>{a});
  EXPECT_EQ(keeps.keep_of(a, Resolution::kRaw), Duration(0));
  EXPECT_EQ(keeps.keep_of(a, Signal::kTraces), all_[retention::DataKind::kTraces]);
  EXPECT_EQ(keeps.keep_of_others(Resolution::kRaw), all_[retention::DataKind::kRaw]);
}

TEST_F(CopyKeepsTest, AFileThatLeavesSomebodyOutIsRefused) {
  write("customers: [{id: cliente-a, class: lnog}]");
  EXPECT_EQ(read().error().code, ErrorCode::kInvalid);
  write("customers: [{id: '', class: long}]");
  EXPECT_EQ(read().error().code, ErrorCode::kInvalid);
  settings_.customers_file += ".none";
  EXPECT_EQ(read().error().code, ErrorCode::kNotFound);
}

TEST_F(CopyKeepsTest, ADamagedNoteIsRefused) {
  std::ofstream(state()) << "VGRCxxxxxxxxxxxxxxxx";
  EXPECT_EQ(read().error().code, ErrorCode::kCorrupt);
}

}  // namespace
}  // namespace vigia::storage::keep
