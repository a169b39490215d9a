// docs/formats/cold-store.md, "Key id": 0 in each row, and another one is that row's fault alone.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "libs/base/testing/temporary_folder.hpp"
#include "libs/chunk/chunk_writer.hpp"
#include "services/storage/store/label_bytes.hpp"
#include "services/storage/store/rocksdb/events/event_row.hpp"
#include "services/storage/store/rocksdb/events/log_block.hpp"
#include "services/storage/store/rocksdb/kv/rocksdb_store.hpp"
#include "services/storage/store/rocksdb/rocksdb_cold_store.hpp"
#include "services/storage/store/testing/otlp_bodies.hpp"

namespace vigia::storage::store::rocksdb {
namespace {

using kv::Family;

constexpr TimestampMs kStart = 20'000 * kDayMs;
constexpr unsigned kOtherKey = 0x10;

Result<void> check_event(std::string_view value) {
  auto item = events::decode_item(value);
  if (item) return {};
  auto origin = events::decode_origin(value);
  if (origin) return {};
  return forward(item);
}

Result<void> check(Family family, std::string_view key, std::string_view value) {
  switch (family) {
    case Family::kChunks:
      return check_chunk_row(key, value);
    case Family::kRollup1h:
      return check_rollup_row(Resolution::kHour, key, value);
    case Family::kDue:
      return check_due_row(key, value);
    case Family::kExemplars:
      return check_exemplar_row(key, value);
    case Family::kMetadata:
      return check_metadata_row(key, value);
    default:
      return check_event(value);
  }
}

class KeyIdTest : public testing::Test {
 protected:
  void put_chunk(SeriesId series, Resolution resolution) {
    chunk::ChunkWriter writer;
    for (int i = 0; i < 100; ++i) writer.append({kStart + i * 15'000, 0.25 * i});
    const ClosedChunk chunk{"m",
                            {series, kStart, kStart + 99 * 15'000, kInOrder, Encoding::kFloats,
                             std::string(writer.bytes())},
                            resolution};
    Result<void> done = fail(ErrorCode::kInternal, "not called");
    cold_->chunks().put(customer_, {&chunk, 1}, [&](Result<void> result) { done = result; });
    ASSERT_TRUE(done.has_value()) << done.error().message;
  }
  void fill() {
    cold_->chunks().due_days()->set_marking(true);
    put_chunk({7}, Resolution::kRaw);
    const NewExemplar exemplar{{7}, {kStart, 1}, encode_labels(Labels::from({{"trace_id", "a"}}))};
    ASSERT_TRUE(cold_->exemplars()->put(customer_, {&exemplar, 1}));
    const MetricMetadata metadata{"m", 1, "s", "help", 20'000};
    ASSERT_TRUE(cold_->metadata()->put(customer_, {&metadata, 1}));
    const TimestampNs at = TimestampNs{kStart} * 1'000'000;
    ASSERT_TRUE(cold_->events().write(
        customer_, Signal::kTraces,
        export_of(customer_.text(), {span_of(std::string(kTraceIdBytes, 'a'), 's', at)})));
    ASSERT_TRUE(cold_->events().write(customer_, Signal::kLogs,
                                      export_of(customer_.text(), {log_record_of(at, "text")})));
  }
  // Of rows that the family's check knows.
  std::vector<kv::KeyValue> rows_of(Family family) {
    std::vector<kv::KeyValue> rows;
    const auto scan = store_->scan(family, "", "");
    while (scan->next()) {
      if (check(family, scan->key(), scan->value()))
        rows.push_back({family, std::string(scan->key()), std::string(scan->value())});
    }
    return rows;
  }

  TemporaryFolder folder_;
  ManualClock clock_{TimestampNs{kStart} * 1'000'000};
  std::unique_ptr<kv::OrderedStore> store_ = kv::open_rocksdb({folder_.path()}).value();
  std::unique_ptr<RocksDbColdStore> cold_ =
      RocksDbColdStore::open(*store_, clock_, 1U << 20U).value();
  CustomerId customer_ = CustomerId::parse("cliente-a").value();
};

TEST_F(KeyIdTest, ItIsZeroInEachRowAndAnotherIsRefused) {
  fill();
  for (const Family family : {Family::kChunks, Family::kDue, Family::kExemplars, Family::kMetadata,
                              Family::kSpans, Family::kLogs}) {
    const auto rows = rows_of(family);
    EXPECT_FALSE(rows.empty()) << static_cast<int>(family);
    for (const kv::KeyValue& row : rows) {
      ASSERT_FALSE(row.value.empty());
      EXPECT_LT(static_cast<unsigned char>(row.value.front()), kOtherKey);
      std::string other = row.value;
      other.front() = static_cast<char>(static_cast<unsigned char>(other.front()) | kOtherKey);
      const auto checked = check(family, row.key, other);
      ASSERT_FALSE(checked.has_value()) << static_cast<int>(family);
      EXPECT_EQ(checked.error().code, ErrorCode::kCorrupt);
    }
  }
}

// As it would be met where a newer program wrote it and the format did not say so.
TEST_F(KeyIdTest, ARowOfAnotherKeyIsLeftOutAloneAndCounted) {
  fill();
  put_chunk({8}, Resolution::kRaw);
  auto rows = rows_of(Family::kMetadata);
  ASSERT_EQ(rows.size(), 1U);
  rows[0].value.front() = static_cast<char>(kOtherKey | 1U);
  ASSERT_TRUE(store_->put(rows, kv::Durability::kNow));
  const MetricMetadata other{"n", 1, "s", "help", 20'000};
  ASSERT_TRUE(cold_->metadata()->put(customer_, {&other, 1}));
  std::vector<std::string> found;
  const auto note = [&](const MetricMetadata& metric) {
    found.push_back(metric.metric);
    return true;
  };
  ASSERT_TRUE(cold_->metadata()->read(customer_, "", note, {}));
  EXPECT_THAT(found, testing::ElementsAre("n"));
  EXPECT_EQ(cold_->metadata()->damaged(), 1U);
}

}  // namespace
}  // namespace vigia::storage::store::rocksdb
