// The index of log records by stream on RocksDB: what a query for streams reads, and what becomes
// of records that have no row of it.
#include <algorithm>
#include <filesystem>
#include <map>
#include <random>
#include <thread>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "services/storage/store/rocksdb/events/log_block.hpp"
#include "services/storage/store/rocksdb/events/testing/log_index_fixture.hpp"

namespace vigia::storage::store::rocksdb::events {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

std::vector<std::uint32_t> slots_in(const log_block::SlotSet& set) {
  std::vector<std::uint32_t> slots;
  for (const auto& run : set.runs()) {
    for (std::uint32_t slot = run.first; slot <= run.last; ++slot) slots.push_back(slot);
  }
  return slots;
}

std::vector<log_block::Entry> some_entries() {
  return {{0, 5}, {3, 0}, {3, 0}, {3, 63}, {3, 64}, {9, 7}, {1'048'575, log_block::kSlots - 1}};
}

TEST(LogBlock, GivesTheSlotsOfTheStreamsThatAreAskedFor) {
  const std::string block = log_block::encode(some_entries());
  const auto of = [&](const std::vector<std::uint32_t>& codes) {
    log_block::SlotSet slots;
    EXPECT_TRUE(log_block::read(block, codes, slots).has_value());
    EXPECT_EQ(slots.is_empty(), slots_in(slots).empty());
    return slots_in(slots);
  };
  EXPECT_THAT(of({}), IsEmpty());
  EXPECT_THAT(of({2, 4}), IsEmpty());
  EXPECT_THAT(of({0, 3}), ElementsAre(0, 5, 63, 64));
  EXPECT_THAT(of({1'048'575}), ElementsAre(log_block::kSlots - 1));
  log_block::SlotSet all;
  all.add_all();
  EXPECT_THAT(all.runs(), SizeIs(1));
  all.clear();
  EXPECT_THAT(slots_in(all), IsEmpty());
}

// Whatever lies there: an error, or slots of a bucket.
TEST(LogBlock, WhatIsCutOrTurnedIsNoFault) {
  const std::string block = log_block::encode(some_entries());
  const std::vector<std::uint32_t> codes = {0, 3, 9, 1'048'575};
  log_block::SlotSet slots;
  EXPECT_EQ(log_block::read("", codes, slots).error().code, ErrorCode::kCorrupt);
  EXPECT_EQ(log_block::read(block.substr(0, block.size() - 1), codes, slots).error().code,
            ErrorCode::kCorrupt);
  for (std::size_t i = 0; i < block.size(); ++i) {
    log_block::read(block.substr(0, i), codes, slots);
    for (unsigned bit = 0; bit < 8; ++bit) {
      std::string turned = block;
      turned[i] = static_cast<char>(static_cast<unsigned char>(turned[i]) ^ (1U << bit));
      log_block::read(turned, codes, slots);
    }
  }
  for (const std::uint32_t slot : slots_in(slots)) EXPECT_LT(slot, log_block::kSlots);
}

TEST_F(LogIndexTest, AQueryForAStreamReadsNoOthersRecords) {
  for (int turn = 0; turn < 3; ++turn) {
    for (int i = 0; i < 100; ++i) {
      std::vector<std::string> records;
      for (int j = 0; j < 5; ++j) {
        const int at = turn * 500 + j * 100 + i;
        records.push_back(log_record_of(kNowNs + static_cast<TimestampNs>(at) * kSecondNs / 10,
                                        fmt::format("of service-{}.", i)));
      }
      write(records, fmt::format("service-{}", i));
    }
  }
  spoil_all_but("of service-42.");
  EXPECT_THAT(read_service("service-42"), SizeIs(15));
  EXPECT_EQ(logs_->damaged_items(), 0U);
  EXPECT_THAT(read_service("nobody"), IsEmpty());
  EXPECT_EQ(logs_->damaged_items(), 0U);
  EXPECT_THAT(read({0, UINT64_MAX}), SizeIs(15));
  EXPECT_EQ(logs_->damaged_items(), 1'485U) << "so the others would have been found out";
}

// One request, so that a bucket's records lie in shards.
TEST_F(LogIndexTest, LargeBatchesToo) {
  std::string body;
  for (int i = 0; i < 400; ++i) {
    std::vector<std::string> records;
    for (int j = 0; j < 3; ++j) {
      const auto at = static_cast<TimestampNs>(j * 400 + i) * kSecondNs / 100;
      records.push_back(log_record_of(kNowNs + at, fmt::format("of service-{}.", i)));
    }
    body += export_of("cliente-a", records, {{"service.name", fmt::format("service-{}", i)}});
  }
  ASSERT_EQ(written(*logs_, *index_, "cliente-a", body).stored, 1'200U);
  const auto blocks =
      rows_of([&](std::uint32_t day) { return search_key::log_blocks(day, customer(), 3); });
  EXPECT_THAT(blocks, ::testing::Not(IsEmpty()));
  spoil_all_but("of service-7.");
  EXPECT_THAT(read_service("service-7"), SizeIs(3));
  EXPECT_EQ(logs_->damaged_items(), 0U);
}

// Against the walk over all records: whatever is asked for, in whatever direction and pages.
TEST_F(LogIndexTest, GivesWhatTheWalkOverAllRecordsGives) {
  const std::uint64_t seed = std::random_device{}();
  SCOPED_TRACE(fmt::format("seed {}", seed));
  std::mt19937_64 random(seed);
  std::map<std::string, std::string> service_of;  // by record
  for (int i = 0; i < 120; ++i) {
    const std::string name = fmt::format("s{}", random() % 12);
    std::vector<std::string> records;
    for (std::uint64_t j = random() % 12; j < 12; ++j) {
      // Many of one time, some of none, some days apart.
      TimestampNs time_ns = kNowNs + (random() % 40) * kSecondNs / 4;
      if (random() % 5 == 0) time_ns -= (random() % 3) * kDayNs + random() % kDayNs;
      if (random() % 20 == 0) time_ns = 0;
      records.push_back(log_record_of(time_ns, fmt::format("{} {}", i, j)));
      service_of[records.back()] = name;
    }
    write(records, name);
  }
  const std::pair<MatchType, std::string> asked[] = {
      {MatchType::kEqual, "s3"},    {MatchType::kRegex, "s1|s2"},  {MatchType::kNotRegex, "s[3-9]"},
      {MatchType::kNotEqual, "s0"}, {MatchType::kEqual, "nobody"}, {MatchType::kRegex, ".*"}};
  for (const auto& [type, value] : asked) {
    const LabelMatchers matchers = service(value, type);
    for (const LogDirection direction : {LogDirection::kForward, LogDirection::kBackward}) {
      LogQuery query{kNowNs - 2 * kDayNs, kNowNs + 8 * kSecondNs, direction};
      std::vector<Given> wanted;
      for (Given& given : read(query)) {
        if (matchers[0].matches(service_of.at(given.item))) wanted.push_back(std::move(given));
      }
      query.stream = &matchers;
      for (const std::size_t page : {1U, 7U, 10'000U}) {
        query.after.reset();
        query.records_max = page;
        std::vector<Given> all;
        for (std::vector<Given> more = read(query); !more.empty(); more = read(query)) {
          query.after = more.back().place;
          all.insert(all.end(), more.begin(), more.end());
        }
        ASSERT_EQ(all, wanted) << value << " in pages of " << page;
      }
    }
  }
}

TEST_F(LogIndexTest, RecordsOfAnOlderProgramAreFound) {
  for (int i = 0; i < 10; ++i) {
    write({log_record_of(kNowNs + static_cast<TimestampNs>(i), fmt::format("{}", i))},
          i % 2 == 0 ? "shop" : "bank");
  }
  const auto before = read_service("shop");
  ASSERT_THAT(before, SizeIs(5));
  forget_index();
  EXPECT_EQ(read_service("shop"), before);
  write({log_record_of(kNowNs + 50, "later")}, "shop");
  EXPECT_THAT(read_service("shop"), SizeIs(6));
  reopen();
  EXPECT_THAT(read_service("shop"), SizeIs(6));
}

TEST_F(LogIndexTest, AMalformedRowOfTheIndexHidesNothing) {
  for (const char* service : {"shop", "bank", "post"}) {
    write({log_record_of(kNowNs, service)}, service);
  }
  for (kv::KeyValue& row : index_rows()) {
    if (row.value.empty()) continue;
    row.value = "nothing";
    ASSERT_TRUE(store_->put({row}, kv::Durability::kNow).has_value());
  }
  EXPECT_THAT(read_service("shop"), SizeIs(1));
  EXPECT_GT(logs_->damaged_items(), 0U);
}

// Twice at once: the second within the minute in which the days are not looked at again.
TEST_F(LogIndexTest, RowsOfTheIndexThatAreLostHideNothing) {
  for (int times = 1; times <= 2; ++times) {
    for (const char* service : {"shop", "bank", "post"}) {
      write({log_record_of(kNowNs + static_cast<TimestampNs>(times) * kDayNs / 2, service)},
            service);
    }
    ASSERT_TRUE(store_->set_aside(index_rows(), "a test").has_value());
    EXPECT_THAT(read_service("shop"), SizeIs(times));
  }
}

// Whoever found it was killed before anybody asked.
TEST_F(LogIndexTest, RowsOfTheIndexThatWereLostBeforeARestartHideNothing) {
  for (const char* service : {"shop", "bank", "post"}) {
    write({log_record_of(kNowNs, service)}, service);
  }
  ASSERT_TRUE(store_->set_aside(index_rows(), "a test").has_value());
  for (int starts = 1; starts <= 2; ++starts) {
    reopen();
    EXPECT_THAT(read_service("shop"), SizeIs(1)) << "after start " << starts;
  }
}

// A kill within a start leaves a table beside the others: their index has lost no row.
TEST_F(LogIndexTest, ATableThatAKillHasLeftCostsNoDayItsIndex) {
  TimestampNs at = kNowNs;
  for (const char* service : {"shop", "bank", "post"}) {
    write({log_record_of(at += kSecondNs, fmt::format("of {}.", service))}, service);
  }
  spoil_all_but("of shop.");
  ASSERT_TRUE(store_->compact().has_value());
  for (int starts = 0; starts < 2; ++starts) {
    cold_.reset();
    store_.reset();
    std::vector<std::filesystem::path> tables;
    for (const auto& entry : std::filesystem::directory_iterator(folder_.path())) {
      if (entry.path().extension() == ".sst") tables.push_back(entry.path());
    }
    int number = 900'000 + starts * 100;
    for (const auto& table : tables) {
      std::filesystem::copy_file(table, folder_.path() + fmt::format("/{:06}.sst", number++));
    }
    open();
    EXPECT_THAT(read_service("shop"), SizeIs(1));
    EXPECT_EQ(logs_->damaged_items(), 0U) << "no other stream's record was read";
    while (store_->damage().unsaved_files > 0) std::this_thread::yield();
    EXPECT_THAT(read_service("shop"), SizeIs(1));
    EXPECT_EQ(logs_->damaged_items(), 0U);
  }
}

TEST_F(LogIndexTest, StreamsThatCannotBeListedAreFound) {
  const std::string long_name(kListedNameMax + 1, 'x');
  const std::string two_parts("a\0b", 3);
  for (const std::string& service : {long_name, two_parts, std::string("shop"), std::string("")}) {
    write({log_record_of(kNowNs, "of " + service.substr(0, 4))}, service);
  }
  EXPECT_THAT(read_service(long_name), SizeIs(1));
  EXPECT_THAT(read_service(two_parts), SizeIs(1));
  EXPECT_THAT(read_service(""), SizeIs(1));
  EXPECT_THAT(read_service("shop"), SizeIs(1));
  // Of no stream, as everywhere.
  write({log_record_of(kNowNs, "wide")}, "wide", {{"note", std::string(300'000, 'x')}});
  EXPECT_THAT(read_service("wide"), IsEmpty());
  EXPECT_THAT(read({0, UINT64_MAX}), SizeIs(5));
}

// A customer chooses names and times: none of it may cost many times what it sent.
TEST_F(LogIndexTest, RowsOfTheIndexAreBoundedWhateverAResourceSays) {
  std::vector<std::string> records;
  for (int i = 0; i < 30; ++i) {
    records.push_back(log_record_of(kNowNs - static_cast<TimestampNs>(i) * kDayNs, "x"));
  }
  const auto index_bytes = [&] {
    std::size_t bytes = 0;
    for (const kv::KeyValue& row : index_rows()) bytes += row.key.size() + row.value.size();
    return bytes;
  };
  const auto write_as = [&](std::size_t name_bytes) {
    const std::string name(name_bytes, 'n');
    return write(records, name, {{"node.id", name}, {"environment", name}});
  };
  ASSERT_EQ(write_as(kListedNameMax).stored, 30U);
  EXPECT_LT(index_bytes(), 30U * 100U) << "of a long one blocks alone";
  ASSERT_EQ(write_as(84).stored, 30U);
  EXPECT_LT(index_bytes(), 30U * (100U + 400U)) << "a short one is listed each day";
  EXPECT_THAT(read_service(std::string(kListedNameMax, 'n')), SizeIs(30));
  EXPECT_THAT(read_service(std::string(84, 'n')), SizeIs(30));
}

TEST_F(LogIndexTest, ARepeatWritesNoRowOfTheIndex) {
  const std::vector<std::string> records = {log_record_of(kNowNs, "1"), log_record_of(kNowNs, "2")};
  EXPECT_EQ(write(records, "shop").stored, 2U);
  EXPECT_THAT(index_rows(), SizeIs(2)) << "a block and a stream";
  EXPECT_EQ(write(records, "shop").repeats, 2U);
  EXPECT_THAT(index_rows(), SizeIs(2));
  EXPECT_EQ(write({log_record_of(kNowNs + kSecondNs, "3")}, "shop").stored, 1U);
  EXPECT_THAT(index_rows(), SizeIs(3)) << "a block more, of streams none";
}

TEST_F(LogIndexTest, TheIndexGoesWithItsDay) {
  write({log_record_of(kNowNs, "1")}, "shop");
  EXPECT_THAT(index_rows(), SizeIs(2));
  const auto now_ms = static_cast<TimestampMs>(kNowNs / 1'000'000);
  EXPECT_EQ(logs_->expire(now_ms + 2 * kDayMs).value(), 1U);
  const auto scan = store_->scan(kv::Family::kLogs, "", "");
  EXPECT_FALSE(scan->next());
  write({log_record_of(kNowNs, "2")}, "shop");
  EXPECT_THAT(read_service("shop"), SizeIs(1)) << "its row is not taken for one that is there";
}

}  // namespace
}  // namespace vigia::storage::store::rocksdb::events
