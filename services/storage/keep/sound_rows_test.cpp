#include "services/storage/keep/sound_rows.hpp"

#include <gmock/gmock.h>

#include "libs/chunk/chunk_writer.hpp"
#include "services/storage/keep/store_copy.hpp"
#include "services/storage/store/label_bytes.hpp"
#include "services/storage/store/rocksdb/rocksdb_cold_store.hpp"
#include "services/storage/store/testing/contract_stores.hpp"

namespace vigia::storage::keep {
namespace {

using store::rocksdb::kv::Family;

constexpr std::uint32_t kOwnDay = 20'417;
constexpr TimestampMs kBegin = kOwnDay * store::kDayMs;
constexpr TimestampMs kHour = 3'600'000;

class SoundRowsTest : public testing::Test {
 protected:
  // An hour of samples, packed.
  void put(const std::string& metric, TimestampMs first_ms, std::uint64_t version = 0) {
    store::ColdStore& cold = from_.cold();
    const Labels labels = Labels::from({{"__name__", metric}, {"customer_id", customer_.text()}});
    const std::uint64_t seed = cold.catalog().seed_of(customer_).value();
    std::vector<store::NewSeries> series = {{labels,
                                             store::hash_labels(seed, store::encode_labels(labels)),
                                             {kOwnDay, kOwnDay},
                                             {},
                                             false}};
    ASSERT_TRUE(cold.catalog().resolve(customer_, series).has_value());
    chunk::ChunkWriter writer;
    for (int i = 0; i < 60; ++i)
      writer.append({first_ms + i * 60'000, 0.25 * i + static_cast<double>(version)});
    const std::vector<store::ClosedChunk> some = {
        {metric,
         {series[0].id, first_ms, first_ms + 59 * 60'000, version, store::Encoding::kFloats,
          std::string(writer.bytes())}}};
    ASSERT_TRUE(store::put_now(cold.chunks(), customer_, some).has_value());
  }
  // The row at this place of all rows, in the order of their keys.
  void damage(int place, std::size_t bytes_left) {
    std::vector<store::rocksdb::kv::KeyValue> damaged;
    const auto scan = from_.kv->scan(Family::kChunks, "", "");
    for (int row = 0; scan->next(); ++row) {
      if (row != place) continue;
      damaged.push_back({Family::kChunks, std::string(scan->key()),
                         std::string(scan->value().substr(0, bytes_left))});
    }
    ASSERT_EQ(damaged.size(), 1U);
    ASSERT_TRUE(from_.kv->put(damaged, store::rocksdb::kv::Durability::kNow));
  }

  const CustomerId customer_ = CustomerId::parse("cliente-a").value();
  store::OnRocksDb from_;
};

// It hid all that lay behind it of its series and day, from the copy and from the comparison.
TEST_F(SoundRowsTest, ADamagedPackedRowHidesNoOtherFromACopy) {
  for (int hour = 0; hour < 10; hour += 2) put("m", kBegin + hour * kHour);
  put("m", kBegin + 4 * kHour + kHour / 2, 7);  // reaches beyond the damaged one
  put("n", kBegin);
  damage(2, 20);
  const TemporaryFolder folder;
  CopyClock clock;
  const auto kv = store::rocksdb::kv::open_rocksdb({folder.path()}).value();
  const auto to = store::rocksdb::RocksDbColdStore::open(*kv, clock, 1U << 20U).value();
  std::vector<std::string> said;
  const CopyJob job{from_.cold(), *to, clock, {customer_}, {}, "", ""};
  const CopyTold told{[](const std::string&) {},
                      said_once([&](const std::string& what) { said.push_back(what); })};
  const auto counts = copy_store(job, told);
  ASSERT_TRUE(counts.has_value()) << counts.error().message;
  EXPECT_EQ(counts->damaged, 1U);
  EXPECT_EQ(counts->rows, 6U);
  std::uint64_t items = 0;
  const auto note = [&](const ComparedDay& day) {
    EXPECT_EQ(day.from, day.to);
    items += day.to.items;
  };
  EXPECT_EQ(compare_stores(job, told, note).value(), true);
  EXPECT_EQ(items, 6 * 60U);
  EXPECT_THAT(said, testing::SizeIs(1));
}

}  // namespace
}  // namespace vigia::storage::keep
