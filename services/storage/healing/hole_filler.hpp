// Compares what hot has of a customer's series with what is stored, and stores what is missing.
#pragma once

#include <atomic>
#include <functional>
#include <vector>

#include "services/storage/api/write_batch.hpp"
#include "services/storage/api/write_books.hpp"
#include "services/storage/healing/hot_series.hpp"
#include "services/storage/ingest/ingester.hpp"
#include "services/storage/read/series_reader.hpp"
#include "services/storage/read/series_search.hpp"

namespace vigia::storage::healing {

/// What it works with; all must outlive it.
struct ColdParts {
  store::Catalog& catalog;
  customers::CustomerNumbers& numbers;
  const read::SeriesReader& reader;
  lanes::CustomerShares&
      answers;  ///< what is read is held of the customer's share, as an answer is
  ingest::Ingester& ingester;
  api::WriteBooks& books;
  std::function<api::WriteTimes()> times;  ///< of what is written, as at the door
};

struct HealCounts {
  std::uint64_t compared = 0;  ///< samples of hot that were looked for
  std::uint64_t holes = 0;     ///< series of which a stretch lacked some
  std::uint64_t fetched = 0;   ///< samples that were missing, and were given to the intake
  std::uint64_t stored = 0;    ///< of them, that it says are in the store now
  RefusedCounts refused{};
  HealCounts& operator+=(const HealCounts& other);
};

/// Of one customer and stretch. Some 70 series and 200,000 samples are held at once. Thread
/// contract: one thread.
class HoleFiller {
 public:
  /// All but `stretch` must outlive it.
  HoleFiller(const CustomerId& customer, const Stretch& stretch, const ColdParts& parts,
             const store::WorkLimit& limit);

  /// What hot has, as each_hot_series gives it. Errors of the store and of the limit: none of
  /// what was missing is lost, all of it is to be given again.
  Result<void> add(HotSeries series);
  /// After the last one: all is on disk.
  Result<void> finish();
  const HealCounts& counts() const { return counts_; }
  RefusedCounts& refused() { return counts_.refused; }

 private:
  Result<void> find_known();
  Result<void> compare();
  Result<void> compare_known(const std::vector<const HotSeries*>& series,
                             const std::vector<store::SeriesKey>& keys);
  void note_missing(const HotSeries& series, std::vector<Sample> missing);
  Result<void> write();

  const CustomerId& customer_;
  const Stretch stretch_;
  const ColdParts& parts_;
  const store::WorkLimit& limit_;
  lanes::AnswerMemory memory_;
  bool is_known_read_ = false;
  std::vector<read::SelectedSeries> known_;  // by labels
  std::vector<HotSeries> waiting_;           // to be compared
  std::size_t waiting_samples_ = 0;
  std::vector<HotSeries> missing_;  // to be written
  std::size_t missing_samples_ = 0;
  HealCounts counts_;
};

}  // namespace vigia::storage::healing
