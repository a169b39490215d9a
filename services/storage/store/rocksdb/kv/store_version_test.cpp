// What becomes of tables that the MANIFEST, or the copy that stands in for it, does not name.
#include "services/storage/store/rocksdb/kv/store_version.hpp"

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "libs/base/testing/temporary_folder.hpp"
#include "services/storage/store/rocksdb/kv/key.hpp"
#include "services/storage/store/rocksdb/kv/rocksdb_store.hpp"
#include "services/storage/store/rocksdb/kv/store_folder.hpp"

namespace vigia::storage::store::rocksdb::kv {
namespace {

namespace fs = std::filesystem;

constexpr auto kDeadline = std::chrono::seconds(30);
constexpr int kRows = 300;
// A row of the index that is written again and again, as the next series number is.
constexpr std::string_view kCounter = "m/counter";

std::string read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

void write_file(const std::string& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
}

class StoreVersionTest : public testing::Test {
 protected:
  void open() {
    auto opened = open_rocksdb({folder_.path()});
    ASSERT_TRUE(opened.has_value()) << opened.error().message;
    store_ = std::move(*opened);
  }
  void put_rows(int first, int last) {
    std::vector<KeyValue> writes;
    for (int i = first; i < last; ++i) {
      std::string key;
      append_key_u32(key, 20'000);
      append_key_u64(key, static_cast<std::uint64_t>(i));
      writes.push_back({Family::kChunks, key, "value " + std::to_string(i)});
    }
    writes.push_back({Family::kIndex, std::string(kCounter), std::to_string(last)});
    ASSERT_TRUE(store_->put(writes, Durability::kNow).has_value());
  }
  /// As a kill leaves the folder.
  void kill() {
    const TemporaryFolder copy;
    fs::copy(folder_.path(), copy.path(),
             fs::copy_options::recursive | fs::copy_options::overwrite_existing);
    store_.reset();
    fs::remove_all(folder_.path());
    fs::copy(copy.path(), folder_.path(), fs::copy_options::recursive);
  }
  std::string path(const std::string& name) const { return folder_.path() + "/" + name; }
  std::string manifest() const {
    std::string name = read_file(path("CURRENT"));
    name.pop_back();
    return path(name);
  }
  std::string copy_of_manifest() const {
    return manifest_copy(folder_.path(), std::stoull(manifest().substr(manifest().rfind('-') + 1)));
  }
  std::set<std::uint64_t> tables() const {
    std::set<std::uint64_t> found;
    for (const auto& entry : fs::directory_iterator(folder_.path())) {
      const std::string name = entry.path().filename().string();
      if (name.ends_with(".sst")) found.insert(table_in(name));
    }
    return found;
  }
  int count_rows() {
    int rows = 0;
    const auto scan = store_->scan(Family::kChunks, "", "");
    while (scan->next()) ++rows;
    return scan->status() ? rows : -1;
  }
  int await_rows(int wanted) {
    const auto deadline = std::chrono::steady_clock::now() + kDeadline;
    while (count_rows() < wanted && std::chrono::steady_clock::now() < deadline) {
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    return count_rows();
  }

  const TemporaryFolder folder_;
  std::unique_ptr<OrderedStore> store_;
};

TEST_F(StoreVersionTest, NamesTheTablesThatAreThere) {
  open();
  for (int round = 0; round < 3; ++round) {
    put_rows(round * kRows, (round + 1) * kRows);
    ASSERT_TRUE(store_->compact());
  }
  store_.reset();
  const auto version = read_version(manifest());
  ASSERT_TRUE(version.has_value());
  EXPECT_TRUE(version->is_whole());
  EXPECT_EQ(version->state.records_end, fs::file_size(manifest()));
  EXPECT_FALSE(version->tables.empty());
  EXPECT_EQ(version->tables, tables());
}

TEST_F(StoreVersionTest, AnEditOfUnknownFormIsSaid) {
  std::set<std::uint64_t> tables = {7};
  EXPECT_FALSE(apply_edit("\x0b", tables));               // a tag that nobody knows
  EXPECT_FALSE(apply_edit("\x06\x00", tables));           // a removed table without its number
  EXPECT_TRUE(apply_edit({"\x81\x40\x01x", 4}, tables));  // one that may be passed over
  EXPECT_EQ(tables, std::set<std::uint64_t>({7}));
  EXPECT_TRUE(apply_edit({"\x06\x00\x07", 3}, tables));
  EXPECT_TRUE(tables.empty());
}

// The copy is up to date, and on disk, before RocksDB deletes what a compaction has read.
TEST_F(StoreVersionTest, TheCopyOfTheManifestFollowsEveryCompaction) {
  open();
  for (int round = 0; round < 4; ++round) {
    put_rows(0, kRows);
    ASSERT_TRUE(store_->compact());
    EXPECT_TRUE(read_file(copy_of_manifest()) == read_file(manifest())) << round;
  }
}

struct Damage {
  const char* name;
  // Of the MANIFEST and its copy.
  std::function<std::string(std::string bytes, std::size_t copy_bytes)> apply;
};

const Damage kDamages[] = {
    {"TruncatedToNothing", [](const std::string&, std::size_t) { return std::string(); }},
    {"ShorterThanItsCopy",
     [](const std::string& bytes, std::size_t copy) { return bytes.substr(0, copy - 100); }},
    {"AsLongAsItsCopy",
     [](const std::string& bytes, std::size_t copy) { return bytes.substr(0, copy); }},
    {"WithoutItsEnd",
     [](const std::string& bytes, std::size_t) { return bytes.substr(0, bytes.size() - 20); }},
    {"AFlippedBit",
     [](std::string bytes, std::size_t) {
       bytes[bytes.size() / 2] ^= 4;
       return bytes;
     }},
    {"AFlippedBitAtItsEnd",
     [](std::string bytes, std::size_t) {
       bytes[bytes.size() - 10] ^= 4;
       return bytes;
     }},
    {"ZerosAtItsEnd",
     [](std::string bytes, std::size_t copy) {
       std::fill(bytes.begin() + static_cast<std::ptrdiff_t>(copy), bytes.end(), '\0');
       return bytes;
     }},
    {"AllZeros",
     [](const std::string& bytes, std::size_t) { return std::string(bytes.size(), '\0'); }},
};

enum class Mark { kOfTheCopy, kDamaged, kGone };

class StaleManifestTest : public StoreVersionTest,
                          public testing::WithParamInterface<std::tuple<std::size_t, Mark, bool>> {
 protected:
  /// A folder as a kill leaves it, and its copy and mark from before the last two rounds of rows.
  struct Scene {
    const TemporaryFolder folder;
    std::string old_copy;
    std::string old_mark;
  };

  // Made once for all damages: making it is most of what one of them costs.
  Scene& start_from(bool is_compacted) {
    std::unique_ptr<Scene>& scene = scenes_[is_compacted ? 1 : 0];
    if (scene == nullptr) {
      scene = std::make_unique<Scene>();
      make(*scene, is_compacted);
    }
    fs::remove_all(folder_.path());
    fs::copy(scene->folder.path(), folder_.path(), fs::copy_options::recursive);
    return *scene;
  }
  static void TearDownTestSuite() { scenes_ = {}; }

 private:
  void make(Scene& scene, bool is_compacted) {
    open();
    put_rows(0, kRows);
    ASSERT_TRUE(store_->compact());
    scene.old_copy = read_file(copy_of_manifest());
    scene.old_mark = read_file(path("vigia-mark"));
    for (int round = 1; round < 3; ++round) {
      put_rows(round * kRows, (round + 1) * kRows);
      if (is_compacted || round == 1) {
        ASSERT_TRUE(store_->compact());
      }
    }
    kill();
    fs::copy(folder_.path(), scene.folder.path(),
             fs::copy_options::recursive | fs::copy_options::overwrite_existing);
  }

  inline static std::array<std::unique_ptr<Scene>, 2> scenes_;
};

// The copy and the mark are older than the tables, and the MANIFEST is damaged: whatever the mark
// says, no table is deleted, no row is missing, and none is an older one.
TEST_P(StaleManifestTest, CostsNoRow) {
  const auto& [number, mark, is_compacted] = GetParam();
  const Scene& scene = start_from(is_compacted);
  ASSERT_FALSE(HasFatalFailure());
  write_file(copy_of_manifest(), scene.old_copy);
  write_file(path("vigia-mark"), mark == Mark::kDamaged ? "VGMK" : scene.old_mark);
  if (mark == Mark::kGone) fs::remove(path("vigia-mark"));
  write_file(manifest(), kDamages[number].apply(read_file(manifest()), scene.old_copy.size()));
  for (int start = 0; start < 2; ++start) {
    SCOPED_TRACE(start);
    open();
    ASSERT_NE(store_, nullptr);
    EXPECT_EQ(store_->get(Family::kIndex, kCounter).value(), std::to_string(3 * kRows));
    EXPECT_EQ(await_rows(3 * kRows), 3 * kRows);
    const bool is_seen = start > 0 || mark == Mark::kGone || !store_->damage().found.empty();
    EXPECT_TRUE(is_seen);
    store_.reset();
  }
}

std::string case_name(const testing::TestParamInfo<StaleManifestTest::ParamType>& of) {
  constexpr const char* kMarks[] = {"StaleMark", "DamagedMark", "NoMark"};
  const auto& [number, mark, is_compacted] = of.param;
  return std::string(kDamages[number].name) + kMarks[static_cast<int>(mark)] +
         (is_compacted ? "Compacted" : "LastInTheLog");
}

INSTANTIATE_TEST_SUITE_P(All, StaleManifestTest,
                         testing::Combine(testing::Range<std::size_t>(0, std::size(kDamages)),
                                          testing::Values(Mark::kOfTheCopy, Mark::kDamaged,
                                                          Mark::kGone),
                                          testing::Bool()),
                         case_name);

}  // namespace
}  // namespace vigia::storage::store::rocksdb::kv
