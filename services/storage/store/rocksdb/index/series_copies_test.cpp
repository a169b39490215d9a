// One bad row is one row, in the index: damaged bytes of its files cost no series.
#include <filesystem>
#include <fstream>
#include <random>
#include <thread>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "libs/base/testing/dose.hpp"
#include "libs/base/testing/temporary_folder.hpp"
#include "services/storage/store/rocksdb/index/index_key.hpp"
#include "services/storage/store/rocksdb/index/label_codec.hpp"
#include "services/storage/store/rocksdb/index/series_index.hpp"
#include "services/storage/store/rocksdb/kv/key.hpp"
#include "services/storage/store/rocksdb/kv/rocksdb_store.hpp"
#include "services/storage/store/rocksdb/testing/rows_of.hpp"

namespace vigia::storage::store::rocksdb::index {
namespace {

namespace fs = std::filesystem;

constexpr std::uint32_t kDay = 20'000;
constexpr auto kDeadline = std::chrono::seconds(60);

class SeriesCopiesTest : public testing::Test {
 protected:
  SeriesCopiesTest() { open(); }
  void open() {
    store_ = kv::open_rocksdb({folder_.path()}).value();
    eventually([&] {
      auto opened = SeriesIndex::open(*store_);
      if (opened) index_ = std::move(*opened);
      return opened.has_value();
    });
  }
  void close() {
    index_.reset();
    store_.reset();
  }
  static Labels labels_of(const std::string& customer, int number) {
    return Labels::from({{"__name__", "m" + std::to_string(number % 7)},
                         {"customer_id", customer},
                         {"pod", fmt::format("pod-{:x}", number * 2'654'435'761U)}});
  }
  std::vector<UnresolvedSeries> resolve(const std::string& customer, int count,
                                        const DayRange& days = {kDay, kDay}) {
    customers::CustomerNumber number{};
    eventually([&] {
      const auto given = index_->number_of(*CustomerId::parse(customer));
      if (given) number = *given;
      return given.has_value();
    });
    std::vector<UnresolvedSeries> series;
    for (int i = 0; i < count; ++i) {
      const Labels labels = labels_of(customer, i);
      series.push_back({number, labels, index_->hash(number, to_string(labels)), {}, false, days});
    }
    eventually([&] { return index_->resolve(series).has_value(); });
    eventually([&] { return index_->note_days(series).has_value(); });
    return series;
  }
  // Waits out tables that are being set aside.
  template <typename Attempt>
  static void eventually(const Attempt& attempt) {
    const auto deadline = std::chrono::steady_clock::now() + kDeadline;
    while (!attempt()) {
      ASSERT_LT(std::chrono::steady_clock::now(), deadline);
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
  }
  void make_whole() {
    eventually([&] {
      return store_->damage().unsaved_files == 0 && index_->make_whole().has_value() &&
             !index_->lacks_rows();
    });
  }
  std::map<Labels, std::uint64_t> all_series(const std::string& customer,
                                             const DayRange& days = kAllDays) {
    std::map<Labels, std::uint64_t> found;
    eventually([&] {
      found.clear();
      const auto number = index_->find_customer(*CustomerId::parse(customer));
      if (!number.has_value()) return true;
      const auto walked = series_of(*store_, *number, days);
      if (!walked) return false;
      for (const FoundSeries& series : *walked) {
        EXPECT_TRUE(found.emplace(series.labels, series.id.value).second);
      }
      return true;
    });
    return found;
  }
  std::vector<std::string> tables() const {
    std::vector<std::string> found;
    for (const auto& entry : fs::directory_iterator(folder_.path())) {
      if (entry.path().extension() == ".sst") found.push_back(entry.path().string());
    }
    return found;
  }
  static void flip(const std::string& path, std::uint64_t at, unsigned bit) {
    std::fstream file(path, std::ios::binary | std::ios::in | std::ios::out);
    file.seekg(static_cast<std::streamoff>(at));
    const int byte = file.get();
    file.seekp(static_cast<std::streamoff>(at));
    file.put(static_cast<char>(static_cast<unsigned>(byte) ^ 3U << bit));
  }
  void lose(kv::Family family, const std::string& prefix) {
    ASSERT_TRUE(store_->drop_range(family, prefix, kv::after_prefix(prefix)));
  }

  TemporaryFolder folder_;
  std::unique_ptr<kv::OrderedStore> store_;
  std::unique_ptr<SeriesIndex> index_;
};

// All tables of the index and of its copies, at any place. Two bits: one would be put right there.
TEST_F(SeriesCopiesTest, ADamagedByteAnywhereInTheIndexCostsNoSeries) {
  constexpr int kSeries = 1'000;  // many blocks
  const std::vector<std::string> customers = {"cliente-a", "cliente-b"};
  std::map<std::string, std::map<Labels, std::uint64_t>> truth;
  for (const std::string& customer : customers) {
    resolve(customer, kSeries);
    truth[customer] = all_series(customer);
  }
  ASSERT_TRUE(store_->compact());
  close();
  const TemporaryFolder whole;
  fs::copy(folder_.path(), whole.path(), fs::copy_options::recursive);
  const auto seed = std::random_device{}();
  std::mt19937 random(seed);
  for (int round = 0; round < dose(3, 16); ++round) {
    fs::remove_all(folder_.path());
    fs::copy(whole.path(), folder_.path(), fs::copy_options::recursive);
    const auto all = tables();
    const std::string path = all[random() % all.size()];
    const std::uint64_t at = random() % fs::file_size(path);
    SCOPED_TRACE(fmt::format("seed {} round {}: byte {} of {} in {}", seed, round, at,
                             fs::file_size(path), path));
    flip(path, at, static_cast<unsigned>(random() % 7));
    open();
    for (const std::string& customer : customers) all_series(customer);  // meets it
    make_whole();
    for (const std::string& customer : customers) {
      EXPECT_EQ(all_series(customer), truth[customer]);
      for (const UnresolvedSeries& one : resolve(customer, kSeries)) {
        ASSERT_EQ(one.id.value, truth[customer].at(one.labels));
        ASSERT_FALSE(one.is_new);
      }
    }
    close();
  }
}

TEST_F(SeriesCopiesTest, LostRowsComeBackUnderTheirNumbersAndForEveryDay) {
  resolve("cliente-a", 500);
  const auto truth = all_series("cliente-a");
  const auto number = *index_->find_customer(*CustomerId::parse("cliente-a"));
  lose(kv::Family::kIndex, index_key::all_series(number));
  lose(kv::Family::kIndex, "h");
  lose(kv::Family::kIndex, "v");
  ASSERT_TRUE(store_->put({{kv::Family::kIndex, std::string(index_key::kHeal), "1"}},
                          kv::Durability::kNow));
  close();
  open();
  EXPECT_EQ(all_series("cliente-a"), truth);
  EXPECT_EQ(index_->rows_restored(), 500U);
  // New samples come: what was stored before is found all the same.
  resolve("cliente-a", 500, {kDay + 9, kDay + 9});
  EXPECT_EQ(all_series("cliente-a", {kDay, kDay}), truth);
  EXPECT_EQ(all_series("cliente-a", {kDay + 9, kDay + 9}), truth);
}

// Whoever writes before its row is back must not narrow it down to the days from then on.
TEST_F(SeriesCopiesTest, ASeriesThatIsWrittenBeforeItsRowIsBackKeepsItsDays) {
  resolve("cliente-a", 1);
  const auto truth = all_series("cliente-a");
  const auto number = *index_->find_customer(*CustomerId::parse("cliente-a"));
  lose(kv::Family::kIndex, index_key::all_series(number));
  close();
  open();
  resolve("cliente-a", 1, {kDay + 9, kDay + 9});
  EXPECT_EQ(all_series("cliente-a", {kDay, kDay}), truth);
}

// What an older program wrote has none, and what it forgot keeps its own.
TEST_F(SeriesCopiesTest, MissingCopiesAreMadeAndThoseOfForgottenSeriesAreLeft) {
  const auto series = resolve("cliente-a", 450);
  const auto number = series[0].customer;
  lose(kv::Family::kIdentity, index_key::all_copies(number));
  ASSERT_TRUE(index_->make_whole());
  for (const UnresolvedSeries& one : series) {
    ASSERT_TRUE(store_->get(kv::Family::kIdentity, index_key::copy(number, one.id))->has_value());
  }
  // It came back under another number.
  const std::string old_row =
      index_key::series(number, series[0].labels.metric_name(), series[0].id);
  const std::string hash = index_key::hash(index_->hash(number, encode_labels(series[0].labels)));
  ASSERT_TRUE(
      store_->put({{kv::Family::kIndex, old_row, "", true}, {kv::Family::kIndex, hash, "", true}},
                  kv::Durability::kNow));
  close();
  open();
  const auto again = resolve("cliente-a", 1);
  EXPECT_NE(again[0].id, series[0].id);
  ASSERT_TRUE(store_->put({{kv::Family::kIndex, std::string(index_key::kHeal), "1"}},
                          kv::Durability::kNow));
  close();
  open();
  EXPECT_EQ(all_series("cliente-a").at(series[0].labels), again[0].id.value);
}

TEST_F(SeriesCopiesTest, ACopyLiesAsItsFormatSays) {
  const auto series = resolve("cliente-a", 1);
  ASSERT_EQ(series[0].customer.value, 1U);
  ASSERT_EQ(series[0].id.value, 1U);
  const std::string key("l\0\0\0\1\0\0\0\0\0\0\0\1", 13);
  EXPECT_EQ(**store_->get(kv::Family::kIdentity, key),
            "\x08__name__\x02m0\x0b"
            "customer_id\x09"
            "cliente-a\x03pod\x05pod-0");
}

TEST_F(SeriesCopiesTest, AForgottenSeriesLeavesNoCopy) {
  const auto series = resolve("cliente-a", 10);
  constexpr TimestampMs kDayMs = 86'400'000;
  EXPECT_EQ(index_->expire((kDay + 2) * kDayMs, (kDay + 400) * kDayMs).value(), 10U);
  const auto scan = store_->scan(kv::Family::kIdentity, "l", "m");
  EXPECT_FALSE(scan->next());
}

TEST_F(SeriesCopiesTest, AMalformedRowIsReplacedByItsCopy) {
  const auto series = resolve("cliente-a", 3);
  const auto truth = all_series("cliente-a");
  const std::string row =
      index_key::series(series[0].customer, series[0].labels.metric_name(), series[0].id);
  ASSERT_TRUE(store_->put({{kv::Family::kIndex, row, "\x05x"}}, kv::Durability::kNow));
  EXPECT_EQ(all_series("cliente-a").size(), 2U);
  EXPECT_TRUE(index_->lacks_rows());
  ASSERT_TRUE(index_->make_whole());
  EXPECT_EQ(all_series("cliente-a"), truth);
  EXPECT_FALSE(index_->lacks_rows());
}

}  // namespace
}  // namespace vigia::storage::store::rocksdb::index
