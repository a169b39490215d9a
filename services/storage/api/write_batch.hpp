// A remote-write request on its way to the heads: checked, its series resolved.
#pragma once

#include <array>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "libs/wire/remote_write/write_request.hpp"
#include "services/storage/api/exemplar_batch.hpp"
#include "services/storage/api/metadata_batch.hpp"
#include "services/storage/api/write_books.hpp"
#include "services/storage/customers/customer_numbers.hpp"
#include "services/storage/ingest/ingest_batch.hpp"
#include "services/storage/read/series_search.hpp"
#include "services/storage/store/catalog.hpp"

namespace vigia::storage::api {

/// 9999-12-31T23:59:59.999Z.
inline constexpr TimestampMs kTimeMax = 253'402'300'799'999;

/// Before which samples are not stored; 0: however old they are.
struct OldestTimes {
  TimestampMs kept_ms = 0;   ///< they would be forgotten at once: taken and counted
  TimestampMs taken_ms = 0;  ///< refused, what comes as late as that being a mistake
};
/// Of a request.
struct WriteTimes {
  OldestTimes oldest;
  TimestampMs exemplars_ahead_ms = kTimeMax;  ///< ExemplarTimes
  /// By whose data they are, in the place of oldest.kept_ms.
  std::function<TimestampMs(const CustomerId&)> kept_of = {};
};

/// Takes the series of one request one after the other. What breaks the rules is refused and
/// counted, the rest goes on. Whether a time lies too far ahead was decided where the data were
/// acknowledged, by another clock: it is not decided anew here. Thread contract: one thread.
class WriteBatch final : public wire::remote_write::WriteVisitor {
 public:
  /// With a fence every series has to carry its customer_id; without one the owner is each series'
  /// customer_id, `_provider` where there is none. `catalog` and `numbers` must outlive it.
  WriteBatch(store::Catalog& catalog, customers::CustomerNumbers& numbers, read::Fence fence,
             WriteTimes times = {});

  /// Metadata is kept of what follows; without this it is passed over.
  void keep_metadata(MetadataBatch::IsStored is_stored) {
    metadata_ = MetadataBatch(std::move(is_stored));
  }

  void on_series(const wire::remote_write::SeriesView& series) override;
  bool knows(std::string_view label_bytes) override;
  /// It carries no label: it is the fence's, and without one the provider's own.
  void on_metadata(const wire::remote_write::MetadataView& metadata) override;
  void on_bad_series(const wire::remote_write::SeriesView& series, std::string_view why) override;
  /// After the last series: gives every one its number.
  Result<void> resolve();

  /// What of it has samples. Once.
  ingest::IngestBatch take();
  ExemplarBatch& exemplars() { return exemplars_; }
  MetadataBatch& metadata() { return metadata_; }
  std::uint64_t received() const { return received_; }
  std::uint64_t expired() const { return expired_; }
  std::uint64_t refused(Refusal refusal) const {
    return refused_[static_cast<std::size_t>(refusal)];
  }
  /// Why the first refused sample was refused; "" where none was.
  const std::string& first_problem() const { return first_problem_; }
  /// A fault of the store on the way, not of the request.
  const std::optional<Error>& failure() const { return failure_; }

 private:
  struct Owner {
    CustomerId id;
    customers::CustomerNumber number;
    std::uint64_t seed = 0;  // of its series' hashes
  };
  struct Unresolved {  // series of one customer
    CustomerId customer;
    std::vector<store::NewSeries> series;
    std::vector<std::size_t> at;  // where in the batch each stands
  };
  struct Asked {  // of the catalog, for the series that comes next
    store::LabelsHash hash;
    std::optional<store::KnownSeries> known;
  };
  Asked ask(const Owner& owner, std::string_view label_bytes) const;
  const Owner* owner_of(const wire::remote_write::SeriesView& series);
  bool has_good_labels(const wire::remote_write::SeriesView& series);
  void add_values(const wire::remote_write::SeriesView& series, ingest::SeriesBatch& target);
  store::DayRange days_to_note(const ingest::SeriesBatch& target) const;
  bool is_right(const wire::remote_write::HistogramView& histogram,
                const wire::remote_write::SeriesView& series);
  bool is_taken(TimestampMs time_ms, const wire::remote_write::SeriesView& series);
  void refuse(Refusal refusal, std::uint64_t samples, const wire::remote_write::SeriesView& series,
              std::string_view why);

  Unresolved& unresolved_of(const CustomerId& customer);
  Result<void> resolve_some(Unresolved& unresolved);

  store::Catalog& catalog_;
  customers::CustomerNumbers& numbers_;
  read::Fence fence_;
  std::string last_owner_label_;
  std::optional<Owner> last_owner_;
  bool is_run_ = false;         // the last two series were of one owner
  std::optional<Asked> asked_;  // as last_owner_'s
  ingest::IngestBatch batch_;
  ExemplarBatch exemplars_;
  MetadataBatch metadata_;
  std::vector<Unresolved> unresolved_;  // a request is of one customer, mostly
  OldestTimes oldest_;                  // of last_owner_
  std::function<TimestampMs(const CustomerId&)> kept_of_;
  std::uint64_t received_ = 0;
  std::uint64_t expired_ = 0;
  std::array<std::uint64_t, kRefusals> refused_{};
  std::string first_problem_;
  std::optional<Error> failure_;
};

}  // namespace vigia::storage::api
