// A whole store in a temporary folder, without its network side, for tests that speak of samples.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "libs/base/clock.hpp"
#include "libs/base/testing/temporary_folder.hpp"
#include "services/storage/ingest/ingester.hpp"
#include "services/storage/read/remote_read.hpp"
#include "services/storage/store/rocksdb/rocksdb_cold_store.hpp"

namespace vigia::storage {

/// 2025-11-25 04:00 UTC.
inline constexpr TimestampMs kNow = 1'764'043'200'000;

class StorageFixture {
 public:
  StorageFixture() { open(); }
  /// On a copy of a folder that is there already.
  explicit StorageFixture(const std::string& folder);

  /// Ends everything and starts again on the same folder.
  void restart();
  /// Leaves the folder as a kill would: what the process still held in memory is gone. Then starts
  /// on a copy of it.
  void kill_and_restart();

  heads::AppendCounts write(const std::string& customer, const std::string& metric,
                            const std::vector<Sample>& samples);
  heads::AppendCounts write_histograms(const std::string& customer, const std::string& metric,
                                       const std::vector<chunk::HistogramSample>& samples);
  /// Leaves an in-order chunk of the series in quarantine, as one that the store never took.
  void set_aside(const std::string& customer, const std::string& metric,
                 const std::vector<Sample>& samples);
  /// time → value, from 1970 for ever.
  std::map<TimestampMs, double> read(const std::string& customer, const std::string& metric);
  read::SeriesData read_raw(const std::string& customer, const std::string& metric);
  /// How many samples lie in rows and heads, repeats counted: exactly once means read().size().
  std::size_t stored_values(const std::string& customer, const std::string& metric);
  /// Moves time and waits for the sweep that it brings, for what that closes to be stored, and for
  /// the sweep after it.
  void advance(Duration step);

  ManualClock& clock() { return clock_; }
  store::rocksdb::kv::OrderedStore& store() { return *store_; }
  store::rocksdb::RocksDbColdStore& cold() { return *cold_; }
  heads::HeadSet& heads() { return *heads_; }
  ingest::Ingester& ingester() { return *ingester_; }
  quarantine::ChunkQuarantine& quarantine() { return *quarantine_; }
  read::SeriesReader& reader() { return *reader_; }
  lanes::CustomerShares& answers() { return answers_; }

 private:
  void open();
  void close();
  ingest::SeriesBatch resolve(const std::string& customer, const std::string& metric);
  heads::AppendCounts write(ingest::SeriesBatch series);

  std::unique_ptr<TemporaryFolder> folder_ = std::make_unique<TemporaryFolder>();
  ManualClock clock_{kNow * 1'000'000};
  customers::RecordTimes times_;
  std::unique_ptr<store::rocksdb::kv::OrderedStore> store_;
  std::unique_ptr<store::rocksdb::RocksDbColdStore> cold_;
  std::unique_ptr<quarantine::ChunkQuarantine> quarantine_;
  std::unique_ptr<heads::StoredSeries> stored_series_;
  std::unique_ptr<heads::HeadSet> heads_;
  std::unique_ptr<ingest::Ingester> ingester_;
  std::unique_ptr<read::SeriesReader> reader_;
  lanes::CustomerShares answers_{"answers under way", 256U << 20U};
};

Labels labels_of(const std::string& customer, const std::string& metric);

}  // namespace vigia::storage
