// Series that are known by their bytes come without labels; everything about them is as before.
#include "services/storage/api/write_batch.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "libs/base/clock.hpp"
#include "libs/base/testing/temporary_folder.hpp"
#include "services/storage/store/rocksdb/kv/rocksdb_store.hpp"
#include "services/storage/store/rocksdb/rocksdb_cold_store.hpp"
#include "services/storage/testing/storage_fixture.hpp"

namespace vigia::storage::api {
namespace {

using testing::HasSubstr;
namespace remote_write = wire::remote_write;

constexpr TimestampMs kAt = 1'764'028'800'000;

/// Knows what WriteBatch knows, and notes which series it was given without labels.
class Counted final : public remote_write::WriteVisitor {
 public:
  explicit Counted(WriteBatch& batch) : batch_(batch) {}
  void on_series(const remote_write::SeriesView& series) override {
    bare += series.labels.empty() ? 1 : 0;
    batch_.on_series(series);
  }
  bool knows(std::string_view label_bytes) override { return batch_.knows(label_bytes); }
  int bare = 0;

 private:
  WriteBatch& batch_;
};

class WriteBatchTest : public testing::Test {
 protected:
  static std::string message_of(const std::string& customer, const std::vector<std::string>& all,
                                TimestampMs at_ms = kAt) {
    std::string message;
    for (const std::string& metric : all) {
      const std::string labels = remote_write::encode_labels(labels_of(customer, metric));
      remote_write::append_sample(message, labels, {at_ms, 1});
    }
    return message;
  }
  WriteBatch batch(read::Fence fence, WriteTimes times = {}) {
    return {cold_->catalog(), *cold_, std::move(fence), std::move(times)};
  }
  /// How many of its series came without labels.
  int read(WriteBatch& batch, const std::string& message) {
    Counted counted(batch);
    EXPECT_TRUE(remote_write::decode_message(message, {}, counted));
    EXPECT_TRUE(batch.resolve());
    return counted.bare;
  }
  static std::vector<std::uint64_t> ids_of(const ingest::IngestBatch& batch) {
    std::vector<std::uint64_t> ids;
    for (const auto& series : batch.series) ids.push_back(series.id.value);
    return ids;
  }

  TemporaryFolder folder_;
  ManualClock clock_{kAt * 1'000'000};
  std::unique_ptr<store::rocksdb::kv::OrderedStore> store_ =
      store::rocksdb::kv::open_rocksdb({folder_.path()}).value();
  std::unique_ptr<store::rocksdb::RocksDbColdStore> cold_ =
      store::rocksdb::RocksDbColdStore::open(*store_, clock_, 64U << 20U).value();
  const CustomerId a_ = CustomerId::parse("cliente-a").value();
};

TEST_F(WriteBatchTest, KnownSeriesComeWithoutLabelsAndAreTheSame) {
  const std::string message = message_of("cliente-a", {"m1", "m2", "m3", "m4"});
  WriteBatch first = batch(a_);
  EXPECT_EQ(read(first, message), 0);
  const auto ids = ids_of(first.take());
  for (const read::Fence& fence : {read::Fence(a_), read::Fence()}) {
    WriteBatch again = batch(fence);
    // The first says whose they are, and the second that they go on so.
    EXPECT_EQ(read(again, message), 2);
    const auto taken = again.take();
    EXPECT_EQ(ids_of(taken), ids);
    EXPECT_EQ(taken.series.back().customer, taken.series.front().customer);
    EXPECT_EQ(taken.series.back().samples.size(), 1U);
    EXPECT_EQ(again.received(), 4U);
  }
}

TEST_F(WriteBatchTest, AKnownSeriesOfAnotherIsForeignBehindOnesOwn) {
  const std::string own = message_of("cliente-a", {"m1", "m2", "m3"});
  const std::string foreign = message_of("cliente-b", {"m1"});
  WriteBatch before = batch(read::Fence());
  read(before, own + foreign);
  WriteBatch fenced = batch(a_);
  EXPECT_EQ(read(fenced, own + foreign + message_of("cliente-a", {"m4"})), 1);
  EXPECT_EQ(fenced.refused(Refusal::kForeign), 1U);
  EXPECT_EQ(fenced.take().series.size(), 4U);
}

TEST_F(WriteBatchTest, OwnersThatTakeTurnsHaveEachTheirOwn) {
  std::string message;
  for (int i = 0; i < 4; ++i) {
    message += message_of("cliente-a", {"m" + std::to_string(i)});
    message += message_of("cliente-b", {"m" + std::to_string(i)});
  }
  message += message_of("cliente-b", {"n1", "n2"});
  WriteBatch first = batch(read::Fence());
  read(first, message);
  const auto ids = ids_of(first.take());
  WriteBatch again = batch(read::Fence());
  EXPECT_EQ(read(again, message), 1);  // the last
  const auto taken = again.take();
  EXPECT_EQ(ids_of(taken), ids);
  const auto a = cold_->number_of(a_).value();
  for (std::size_t i = 0; i < taken.series.size(); ++i) {
    EXPECT_EQ(taken.series[i].customer == a, i < 8 && i % 2 == 0) << i;
  }
}

TEST_F(WriteBatchTest, ARefusalNamesAKnownSeries) {
  const std::string message = message_of("cliente-a", {"m1", "m2"});
  WriteBatch first = batch(a_);
  read(first, message);
  WriteTimes times;
  times.oldest.taken_ms = kAt;
  WriteBatch late = batch(a_, times);
  read(late, message + message_of("cliente-a", {"m1"}, kAt - 1));
  EXPECT_EQ(late.refused(Refusal::kTooOld), 1U);
  EXPECT_THAT(late.first_problem(), HasSubstr(to_string(labels_of("cliente-a", "m1")) + ": too"));
  EXPECT_EQ(late.take().series.size(), 2U);
}

TEST_F(WriteBatchTest, ANewDayOfAKnownSeriesIsNoted) {
  const std::vector<std::string> metrics = {"m1", "m2", "m3"};
  WriteBatch first = batch(a_);
  read(first, message_of("cliente-a", metrics));
  const auto ids = ids_of(first.take());
  const TimestampMs later = kAt + 3 * store::kDayMs;
  WriteBatch second = batch(a_);
  EXPECT_EQ(read(second, message_of("cliente-a", metrics, later)), 1);
  EXPECT_EQ(ids_of(second.take()), ids);
  const auto seed = cold_->catalog().seed_of(a_).value();
  const auto bytes = remote_write::encode_labels(labels_of("cliente-a", "m3"));
  const auto known = cold_->catalog().find(store::hash_labels(seed, bytes));
  ASSERT_TRUE(known.has_value());
  EXPECT_TRUE(known->days.contains({store::day_of(later), store::day_of(later)}));
}

}  // namespace
}  // namespace vigia::storage::api
