// What becomes of a store whose files on disk are damaged: real files, bytes of which are changed.
#include <array>
#include <filesystem>
#include <fstream>
#include <functional>
#include <random>
#include <set>
#include <sstream>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "libs/base/bytes.hpp"
#include "libs/base/testing/dose.hpp"
#include "libs/base/testing/temporary_folder.hpp"
#include "services/storage/store/rocksdb/kv/quarantine.hpp"
#include "services/storage/store/rocksdb/kv/testing/rocksdb_damage_fixture.hpp"

namespace vigia::storage::store::rocksdb::kv {
namespace {

using ::testing::IsEmpty;
using ::testing::Not;

TEST_F(RocksDbDamageTest, ADamagedBlockThatIsReadCostsItsRowsAndIsCounted) {
  fill_and_close();
  flip(largest(".sst"), 300'000);
  open();
  count_rows();
  await_quarantined(1);
  const int left = count_rows();
  EXPECT_GT(left, kRows - 2 * kRowsOfABlock);
  EXPECT_LT(left, kRows);
  const DamageStats damage = store_->damage();
  EXPECT_EQ(damage.found.at("table"), 1U);
  EXPECT_EQ(damage.rows_lost, static_cast<std::uint64_t>(kRows - left));
  EXPECT_EQ(damage.rows_saved, static_cast<std::uint64_t>(left));
  put_rows(0, kRows);
  EXPECT_EQ(count_rows(), kRows);
  close();
  open();
  EXPECT_EQ(count_rows(), kRows);
  EXPECT_EQ(store_->damage().quarantined_files, 1U);
}

TEST_F(RocksDbDamageTest, SeveralDamagedBlocksCostNoMoreThanTheirOwnRows) {
  fill_and_close();
  for (const std::uint64_t at : {5'000U, 300'000U, 310'000U, 600'000U}) {
    flip(largest(".sst"), at);
  }
  open();
  count_rows();
  await_quarantined(1);
  EXPECT_GT(count_rows(), kRows - 4 * kRowsOfABlock);
}

// Rows that nobody reads would rot until their copies are gone, too.
TEST_F(RocksDbDamageTest, ADamagedBlockThatNobodyReadsIsFoundByTheScrub) {
  fill_and_close();
  flip(largest(".sst"), 300'000);
  RocksDbSettings settings{folder_.path()};
  settings.scrub_wait = std::chrono::milliseconds(1);
  open(settings);
  await_quarantined(1);
  const int left = count_rows();
  EXPECT_GT(left, kRows - 2 * kRowsOfABlock);
  EXPECT_LT(left, kRows);
  EXPECT_GE(store_->damage().scrub->tables, 1U);
}

TEST_F(RocksDbDamageTest, WithoutAScrubDamageIsFoundWhereItIsRead) {
  fill_and_close();
  flip(largest(".sst"), 300'000);
  RocksDbSettings settings{folder_.path()};
  settings.scrub = Duration(0);
  settings.scrub_wait = Duration(0);
  open(settings);
  EXPECT_FALSE(store_->damage().scrub.has_value());
  EXPECT_EQ(store_->damage().quarantined_files, 0U);
  count_rows();
  await_quarantined(1);
}

TEST_F(RocksDbDamageTest, MalformedRowsLieInAFileAsItsFormatSays) {
  open();
  const std::vector<KeyValue> rows = {{Family::kLogs, "ab", "xyz"}, {Family::kIndex, "k", ""}};
  ASSERT_TRUE(store_->put(rows, Durability::kNow));
  const std::uint64_t before = store_->damage().mark;
  ASSERT_TRUE(store_->set_aside(rows, "a test"));
  const std::uint64_t mark = store_->damage().mark;
  EXPECT_NE(mark, before);
  std::ifstream file(folder_.path() + "/quarantine/0001-malformed.rows", std::ios::binary);
  std::ostringstream bytes;
  bytes << file.rdbuf();
  EXPECT_EQ(bytes.str(), std::string("vigia quarantine rows 1\n\x03\x02"
                                     "ab\x03xyz\x00\x01k\x00",
                                     36));
  EXPECT_FALSE(store_->get(Family::kLogs, "ab").value().has_value());
  EXPECT_EQ(store_->damage().rows_lost, 2U);
  close();
  open();  // the file is nothing that a start reads rows from
  EXPECT_FALSE(store_->get(Family::kLogs, "ab").value().has_value());
  EXPECT_EQ(store_->damage().quarantined_files, 1U);
  EXPECT_EQ(store_->damage().mark, mark) << "what was found is known after a restart";
}

// Damage may leave no file, and a folder may be emptied: whoever remembers a mark must see it all
// the same.
TEST(QuarantineMark, IsAnotherAfterEachDamageOverRestarts) {
  const TemporaryFolder folder;
  const std::string directory = folder.path() + "/quarantine";
  std::set<std::uint64_t> marks = {Quarantine(directory).state().mark};
  const auto is_new = [&] { return marks.insert(Quarantine(directory).state().mark).second; };
  for (int times = 0; times < 2; ++times) {
    Quarantine(directory).note("", {"unknown", "no file", "a test", "", 1, 0});
    EXPECT_TRUE(is_new());
    EXPECT_FALSE(is_new());
  }
  for (int times = 0; times < 2; ++times) {
    const std::string table = folder.path() + "/000012.sst";
    std::ofstream(table) << "x";
    Quarantine quarantine(directory);
    quarantine.note(quarantine.take(table).value(), {"table", "000012.sst", "a test", "", 1, 0});
    EXPECT_TRUE(is_new());
    std::filesystem::remove_all(directory);
  }
}

// Case A3 (b): the damage lies in an old day that nobody reads.
TEST_F(RocksDbDamageTest, DamageThatACompactionMeetsStopsNoWrite) {
  fill_and_close();
  flip(largest(".sst"), 300'000);
  open();
  for (int round = 0; round < dose(2, 6); ++round) {
    put_rows(0, kRows / 2, Durability::kNow);
    const auto compacted = store_->compact();
    if (!compacted) {
      EXPECT_EQ(compacted.error().code, ErrorCode::kUnavailable);
    }
    await_quarantined(1);
  }
  put_rows(0, kRows, Durability::kNow);
  EXPECT_EQ(count_rows(), kRows);
}

TEST_F(RocksDbDamageTest, ADamagedTableThatIsReadByKeyIsSetAsideToo) {
  fill_and_close();
  flip(largest(".sst"), 300'000);
  open();
  const auto deadline = std::chrono::steady_clock::now() + kDeadline;
  int missing = 0;
  for (int i = 0; i < kRows; i += 5) {
    auto value = store_->get(Family::kChunks, row_key(i));
    while (!value && std::chrono::steady_clock::now() < deadline) {
      EXPECT_EQ(value.error().code, ErrorCode::kUnavailable);
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
      value = store_->get(Family::kChunks, row_key(i));
    }
    ASSERT_TRUE(value.has_value());
    if (!value->has_value()) ++missing;
  }
  EXPECT_GT(missing, 0);
  EXPECT_LT(missing, 40);
  await_quarantined(1);
}

TEST_F(RocksDbDamageTest, EveryByteOfAFooterMayBeDamagedAndCostsNothing) {
  fill_and_close();
  const std::string table = largest(".sst");
  const std::uint64_t size = fs::file_size(table);
  std::vector<std::uint64_t> places = {53, 47, 8};
  if (dose(0, 1) == 1) places.insert(places.end(), {51, 20, 12, 1});
  for (const std::uint64_t from_end : places) {
    SCOPED_TRACE(from_end);
    const std::string path = largest(".sst");
    flip(path, fs::file_size(path) - from_end, 4);
    open();
    EXPECT_EQ(count_rows(), kRows);
    ASSERT_TRUE(store_->compact().has_value());
    close();
  }
  EXPECT_GT(size, 53U);
}

// It was held until the next start: nothing of that family was merged or forgotten any more.
TEST_F(RocksDbDamageTest, CompactionsGoOnOnceADamagedTableIsGoneByItself) {
  fill_and_close();
  flip(largest(".sst"), 300'000);
  RocksDbSettings settings{folder_.path()};
  settings.end_patience = std::chrono::milliseconds(1);
  store_ = open_rocksdb(settings).value();
  const auto held = [&] {  // families, as the newest file of options says
    const std::string path = files("OPTIONS-").back();
    std::ifstream file(path);
    int count = 0;
    for (std::string line; std::getline(file, line);) {
      if (line.find("disable_auto_compactions=true") != std::string::npos) ++count;
    }
    return count;
  };
  auto scan = store_->scan(Family::kChunks, "", "");
  while (scan->next()) {
  }
  EXPECT_FALSE(scan->status());
  eventually([&] { return held() == 1; });  // the walk keeps the table from being set aside
  eventually([&] { return store_->drop_range(Family::kChunks, "", "\xff").has_value(); });
  scan.reset();
  eventually([&] { return held() == 0; });
  put_rows(0, kRows);
  EXPECT_EQ(count_rows(), kRows);
  EXPECT_EQ(store_->damage().quarantined_files, 0U);
}

// RocksDB would read wherever the handles of a footer point, and as much as they say. The index's
// tables are read before the store is open.
TEST_F(RocksDbDamageTest, AFooterThatPointsElsewhereEndsNoStart) {
  constexpr std::uint64_t kFooterBytes = 53;
  constexpr int kFew = 30;
  open();
  put_rows(0, kFew);
  std::vector<KeyValue> rows;
  for (int i = 0; i < 3 * kFew; ++i) rows.push_back({Family::kIndex, row_key(i), row_value(i)});
  ASSERT_TRUE(store_->put(rows, Durability::kLater).has_value());
  ASSERT_TRUE(store_->compact().has_value());
  close();
  const TemporaryFolder whole;
  fs::copy(folder_.path(), whole.path(), fs::copy_options::recursive);
  const auto check = [&](const std::function<void(const std::string&, std::uint64_t)>& damage) {
    fs::remove_all(folder_.path());
    fs::copy(whole.path(), folder_.path(), fs::copy_options::recursive);
    const std::string path = largest(".sst");
    damage(path, fs::file_size(path) - kFooterBytes);
    for (int start = 0; start < 2; ++start) {
      open();
      ASSERT_NE(store_, nullptr);
      EXPECT_EQ(count_rows(), kFew);
      const auto row = store_->get(Family::kIndex, row_key(7));
      EXPECT_TRUE(row && (row->has_value() || store_->damage().quarantined_files > 0));
      EXPECT_EQ(store_->damage().unsaved_files, 0U);
      close();
    }
  };
  const auto step = static_cast<std::uint64_t>(dose(3, 1));
  for (std::uint64_t byte = 1; byte <= 10; byte += step) {
    for (const unsigned bits : {0x03U, 0x50U, 0xc0U}) {
      SCOPED_TRACE(fmt::format("byte {} of a footer, bits {:x}", byte, bits));
      check([&](const std::string& path, std::uint64_t at) { flip(path, at + byte, bits); });
    }
  }
  constexpr std::uint64_t kHuge = 1ULL << 62U;
  for (const std::uint64_t offset : {std::uint64_t{0}, kHuge}) {
    SCOPED_TRACE(fmt::format("{} bytes at {}", kHuge, offset));
    check([&](const std::string& path, std::uint64_t at) {
      std::string handle;
      append_varint(handle, offset);
      append_varint(handle, kHuge);
      std::fstream file(path, std::ios::binary | std::ios::in | std::ios::out);
      file.seekp(static_cast<std::streamoff>(at + 1));
      file.write(handle.data(), static_cast<std::streamsize>(handle.size()));
    });
  }
}

TEST_F(RocksDbDamageTest, AMissingAndATruncatedTableCostTheirRowsOnly) {
  open();
  put_rows(0, 1'000);
  ASSERT_TRUE(store_->compact().has_value());
  close();
  const auto first = files(".sst");
  fs::remove(largest(".sst"));
  open();
  EXPECT_EQ(count_rows(), 0);
  EXPECT_EQ(store_->damage().found.at("table_missing"), 1U);
  put_rows(0, 1'000);
  ASSERT_TRUE(store_->compact().has_value());
  close();
  fs::resize_file(largest(".sst"), 10'000);
  open();
  EXPECT_EQ(count_rows(), 0);
  put_rows(0, 1'000);
  EXPECT_EQ(count_rows(), 1'000);
}

// Rows of the index are replaced by newer ones. By an older MANIFEST, all of whose tables are
// there, the newer tables were taken for what a compaction leaves, of which only rows that the
// store lacks are written anew: the index was older again, and nothing said so.
TEST_F(RocksDbDamageTest, AnOlderManifestThatIsPutBackIsNotBelieved) {
  const auto put = [&](const std::string& value) {
    ASSERT_TRUE(store_->put({{Family::kIndex, "days", value}}, Durability::kNow));
  };
  const TemporaryFolder older;
  open();
  put("old");
  close();
  open();  // what the log held lies in a table
  fs::copy(folder_.path(), older.path() + "/store");
  close();
  open();
  put("new");
  close();
  open();
  put_rows(0, 10, Durability::kNow);
  copy_and_close();
  const TemporaryFolder whole;
  fs::copy(folder_.path(), whole.path(), fs::copy_options::recursive);
  for (const bool is_newer_gone : {false, true}) {
    SCOPED_TRACE(is_newer_gone);
    fs::remove_all(folder_.path());
    fs::copy(whole.path(), folder_.path(), fs::copy_options::recursive);
    if (is_newer_gone) fs::remove(files("MANIFEST-").back());
    for (const auto& entry : fs::directory_iterator(older.path() + "/store")) {
      const std::string name = entry.path().filename().string();
      if (!name.starts_with("MANIFEST-") && name != "CURRENT") continue;
      ASSERT_FALSE(name.starts_with("MANIFEST-") && fs::exists(folder_.path() + "/" + name));
      fs::copy_file(entry.path(), folder_.path() + "/" + name,
                    fs::copy_options::overwrite_existing);
    }
    open();
    ASSERT_NE(store_, nullptr);
    eventually([this] { return store_->damage().unsaved_files == 0; });
    EXPECT_EQ(store_->get(Family::kIndex, "days").value(), "new");
    EXPECT_EQ(count_rows(10), 10);
    EXPECT_EQ(store_->damage().found.count(is_newer_gone ? "manifest" : "current"), 1U);
    put("newest");
    close();
    open();
    EXPECT_EQ(store_->get(Family::kIndex, "days").value(), "newest");
    EXPECT_THAT(store_->damage().found, IsEmpty()) << "once";
    close();
  }
}

// One change of one file of any kind: flipped bit, page of zeros, early end, a file of earlier.
TEST_F(RocksDbDamageTest, WhateverIsDamagedItOpensServesTheRestAndSaysSo) {
  constexpr int kInLog = 300;
  constexpr int kKinds = 5;
  fill_and_close();
  const TemporaryFolder older;
  fs::copy(folder_.path(), older.path(), fs::copy_options::recursive);
  open();
  for (int i = kRows; i < kRows + kInLog; i += 10) put_rows(i, i + 10, Durability::kNow);
  copy_and_close();
  const TemporaryFolder whole;
  fs::copy(folder_.path(), whole.path(), fs::copy_options::recursive);
  const auto seed = std::random_device{}();
  std::mt19937 random(seed);
  for (int round = 0; round < dose(kKinds, 4 * kKinds); ++round) {
    fs::remove_all(folder_.path());
    fs::copy(whole.path(), folder_.path(), fs::copy_options::recursive);
    const unsigned kind = round % kKinds;
    const std::string& from = kind == 4 ? older.path() : folder_.path();
    std::vector<std::string> all;
    for (const auto& entry : fs::directory_iterator(from)) {
      const std::string name = entry.path().filename().string();
      const bool is_one = entry.is_regular_file() && entry.file_size() > 0;
      if (is_one && !name.starts_with("LO")) all.push_back(entry.path().string());  // LOG, LOCK
    }
    std::sort(all.begin(), all.end());
    const std::string path = all[random() % all.size()];
    const std::uint64_t size = fs::file_size(path);
    const std::uint64_t at = random() % size;
    if (kind == 4) {
      fs::copy_file(path, fs::path(folder_.path()) / fs::path(path).filename(),
                    fs::copy_options::overwrite_existing);
    }
    if (kind < 2) flip(path, at, 1U << random() % 8);
    if (kind == 2) fs::resize_file(path, at);
    if (kind == 3) {
      std::fstream file(path, std::ios::binary | std::ios::in | std::ios::out);
      file.seekp(static_cast<std::streamoff>(at / 4096 * 4096));
      file << std::string(std::min<std::uint64_t>(4096, size - at / 4096 * 4096), '\0');
    }
    SCOPED_TRACE(fmt::format("seed {} round {}: {} at {} of {}", seed, round, path, at, size));
    open();
    ASSERT_NE(store_, nullptr);
    count_rows(kRows + kInLog);
    put_rows(0, 1, Durability::kNow);
    const int rows = count_rows(kRows + kInLog);
    const auto deadline = std::chrono::steady_clock::now() + kDeadline;
    while (rows < kRows + kInLog && store_->damage().found.empty()) {
      ASSERT_LT(std::chrono::steady_clock::now(), deadline) << rows;
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    if (kind < 2 || kind == 4) {
      EXPECT_GT(rows, kRows - 2 * kRowsOfABlock);
    }
    close();
  }
}

// Of the table of each kind, at any place of it: a block of rows, an index, a filter, properties.
// Two bits cost a block at most.
TEST_F(RocksDbDamageTest, AFlippedBitInATableOfAnyKindCostsNothing) {
  constexpr int kEach = 400;
  const std::array families = {Family::kIndex, Family::kChunks, Family::kSpans, Family::kLogs,
                               Family::kIdentity};
  open();
  std::vector<KeyValue> writes;
  for (const Family family : families) {
    for (int i = 0; i < kEach; ++i) writes.push_back({family, "zz" + row_key(i), row_value(i)});
  }
  ASSERT_TRUE(store_->put(writes, Durability::kLater));
  ASSERT_TRUE(store_->compact());
  close();
  const TemporaryFolder whole;
  fs::copy(folder_.path(), whole.path(), fs::copy_options::recursive);
  // Of the rows that are still there, with their values.
  const auto count = [&](Family family) {
    int rows = -1;
    const auto deadline = std::chrono::steady_clock::now() + kDeadline;
    while (rows < 0 && std::chrono::steady_clock::now() < deadline) {
      int found = 0;
      const auto scan = store_->scan(family, "zz", "zzz");
      while (scan->next()) {
        std::string_view key = scan->key().substr(10);
        bool ok = true;
        EXPECT_EQ(scan->value(), row_value(static_cast<int>(take_key_u64(key, ok))));
        ++found;
      }
      if (scan->status() && store_->damage().unsaved_files == 0) rows = found;
    }
    return rows;
  };
  const auto seed = std::random_device{}();
  std::mt19937 random(seed);
  constexpr std::uint64_t kEndBytes = 2'000;  // index, filter, properties, metaindex, footer
  const std::vector<std::string> tables = files(".sst");
  ASSERT_GE(tables.size(), families.size());
  int damaged = 0;
  const std::size_t rounds = static_cast<std::size_t>(dose(1, 3)) * tables.size();
  for (std::size_t round = 0; round < rounds; ++round) {
    fs::remove_all(folder_.path());
    fs::copy(whole.path(), folder_.path(), fs::copy_options::recursive);
    const std::string& path = tables[round % tables.size()];
    const bool is_near_end = random() % 2 == 0;  // few bytes, on which all rows hang
    const std::uint64_t at = is_near_end ? fs::file_size(path) - 1 - random() % kEndBytes
                                         : random() % fs::file_size(path);
    SCOPED_TRACE(fmt::format("seed {}: byte {} of {} of {}", seed, at, fs::file_size(path), path));
    const bool is_bit = random() % 3 != 0;
    flip(path, at, is_bit ? 1U << random() % 8 : 3U << random() % 7);
    open();
    for (const Family family : families) count(family);  // meets it
    int lost = 0;
    for (const Family family : families) lost += kEach - count(family);
    const DamageStats damage = store_->damage();
    EXPECT_EQ(lost, is_bit ? 0 : lost);
    EXPECT_LE(lost, kRowsOfABlock);
    if (damage.found.count("manifest") == 0) {
      EXPECT_EQ(damage.rows_lost, static_cast<std::uint64_t>(lost));
    }
    damaged += damage.found.count("table") > 0 ? 1 : 0;
    close();
  }
  EXPECT_GT(damaged, static_cast<int>(rounds / 6));  // or it was not met
}

}  // namespace
}  // namespace vigia::storage::store::rocksdb::kv
