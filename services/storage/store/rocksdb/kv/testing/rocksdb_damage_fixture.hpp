// A store whose files are changed on disk, for tests of what becomes of it.
#pragma once

#include <array>
#include <filesystem>
#include <fstream>
#include <functional>
#include <random>
#include <sstream>
#include <thread>

#include <gtest/gtest.h>

#include "libs/base/testing/temporary_folder.hpp"
#include "services/storage/store/rocksdb/kv/key.hpp"
#include "services/storage/store/rocksdb/kv/rocksdb_store.hpp"

namespace vigia::storage::store::rocksdb::kv {

namespace fs = std::filesystem;

inline constexpr auto kDeadline = std::chrono::seconds(30);
inline constexpr int kRows = 2'000;        // some 25 blocks of one table
inline constexpr int kRowsOfABlock = 100;  // at most

inline std::string row_key(int number) {
  std::string key;
  append_key_u32(key, 20'000);
  append_key_u32(key, 7);
  append_key_u64(key, static_cast<std::uint64_t>(number));
  return key;
}

// Bytes that do not compress, so that a row has its place in the file. Large and few: what a test
// costs under the sanitizers goes by the rows, what it damages by the bytes.
inline std::string row_value(int number) {
  constexpr int kWords = 40;
  std::mt19937 random(static_cast<std::uint32_t>(number));
  std::string value;
  value.reserve(kWords * 8);
  for (int i = 0; i < kWords; ++i) {
    append_key_u64(value, (std::uint64_t{random()} << 32U) | random());
  }
  return value;
}

class RocksDbDamageTest : public ::testing::Test {
 protected:
  void open() { open({folder_.path()}); }
  void open(const RocksDbSettings& settings) {
    auto opened = open_rocksdb(settings);
    ASSERT_TRUE(opened.has_value()) << opened.error().message;
    store_ = std::move(*opened);
  }
  void close() { store_.reset(); }
  void put_rows(int first, int last, Durability durability = Durability::kLater) {
    std::vector<KeyValue> writes;
    for (int i = first; i < last; ++i) {
      writes.push_back({Family::kChunks, row_key(i), row_value(i)});
    }
    const auto deadline = std::chrono::steady_clock::now() + kDeadline;
    for (;;) {
      const auto put = store_->put(writes, durability);
      if (put) return;
      ASSERT_EQ(put.error().code, ErrorCode::kUnavailable) << put.error().message;
      ASSERT_LT(std::chrono::steady_clock::now(), deadline) << put.error().message;
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
  }
  void fill_and_close() {
    open();
    put_rows(0, kRows);
    ASSERT_TRUE(store_->compact().has_value());
    close();
  }
  /// As a kill leaves it: nothing of what was in memory alone gets to the disk.
  void copy_and_close() {
    const TemporaryFolder copy;
    fs::copy(folder_.path(), copy.path(),
             fs::copy_options::recursive | fs::copy_options::overwrite_existing);
    close();
    fs::remove_all(folder_.path());
    fs::copy(copy.path(), folder_.path(), fs::copy_options::recursive);
  }
  std::vector<std::string> files(const std::string& part) const {
    std::vector<std::string> found;
    for (const auto& entry : fs::directory_iterator(folder_.path())) {
      const std::string name = entry.path().filename().string();
      if (entry.is_regular_file() && name.find(part) != std::string::npos) {
        found.push_back(entry.path().string());
      }
    }
    std::sort(found.begin(), found.end());
    return found;
  }
  std::string largest(const std::string& part) const {
    const auto all = files(part);
    return *std::max_element(all.begin(), all.end(), [](const auto& left, const auto& right) {
      return fs::file_size(left) < fs::file_size(right);
    });
  }
  static void flip(const std::string& path, std::uint64_t at, unsigned bits = 4 + 8) {
    std::fstream file(path, std::ios::binary | std::ios::in | std::ios::out);
    file.seekg(static_cast<std::streamoff>(at));
    const int byte = file.get();
    file.seekp(static_cast<std::streamoff>(at));
    file.put(static_cast<char>(static_cast<unsigned>(byte) ^ bits));
    ASSERT_TRUE(file.good()) << path << " " << at;
  }
  // Reads all rows, waiting out a table that is being set aside. Rows of other numbers fail.
  int count_rows(int last = kRows) {
    const auto deadline = std::chrono::steady_clock::now() + kDeadline;
    for (;;) {
      int rows = 0;
      const auto scan = store_->scan(Family::kChunks, "", "");
      while (scan->next()) {
        std::string_view key = scan->key().substr(8);
        bool ok = true;
        const auto number = static_cast<int>(take_key_u64(key, ok));
        EXPECT_TRUE(ok && number < last);
        EXPECT_EQ(scan->value(), row_value(number));
        ++rows;
      }
      const auto status = scan->status();
      if (status) return rows;
      EXPECT_EQ(status.error().code, ErrorCode::kUnavailable) << status.error().message;
      if (std::chrono::steady_clock::now() > deadline) return -1;
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
  }
  template <typename Condition>
  static void eventually(const Condition& condition) {
    const auto deadline = std::chrono::steady_clock::now() + kDeadline;
    while (!condition()) {
      ASSERT_LT(std::chrono::steady_clock::now(), deadline);
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
  }
  void await_quarantined(std::uint64_t files) {
    const auto deadline = std::chrono::steady_clock::now() + kDeadline;
    while (store_->damage().quarantined_files < files) {
      ASSERT_LT(std::chrono::steady_clock::now(), deadline);
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
  }

  TemporaryFolder folder_;
  std::unique_ptr<OrderedStore> store_;
};

}  // namespace vigia::storage::store::rocksdb::kv
