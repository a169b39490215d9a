// Answers remote-read requests from heads and chunks.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <span>
#include <string>

#include "libs/base/duration.hpp"
#include "libs/wire/remote_read/read_request.hpp"
#include "libs/wire/remote_read/read_response.hpp"
#include "services/storage/lanes/customer_shares.hpp"
#include "services/storage/read/chunk_stream.hpp"
#include "services/storage/read/query_reader.hpp"
#include "services/storage/read/read_damage.hpp"
#include "services/storage/store/work_limit.hpp"

namespace vigia::storage::read {

/// Bounds of one request (R-RR-5); its memory has a bound in its customer's share.
struct ReadLimits {
  std::size_t series_max = 100'000;
  /// Windows are read before the answer begins as far as they fit (WindowsAhead): those of some 100
  /// series, two years by the hour.
  std::size_t ahead_bytes_max = 16U << 20U;
  Duration ahead_time_max = std::chrono::milliseconds(250);  ///< it is made in one go
};

/// One snappy block of samples.
struct SamplesAnswer {
  std::string body;
  std::shared_ptr<lanes::AnswerMemory> memory;  ///< holds the body: let go of with it
  bool lacks_some = false;  ///< samples that other instances have open may be missing
};

using KeptFrom = std::function<TimestampMs(const CustomerId&, Resolution)>;

/// A query that wants labels alone is answered from the index: series that had samples on a day of
/// its range, as far as raw is kept, whatever roll-ups it names. Thread contract: any thread.
class RemoteRead {
 public:
  /// All must outlive it. `kept_from`: what of a customer is older at that resolution is past its
  /// retention, and is not given, whatever still lies there (C46); without it everything is.
  RemoteRead(const store::Catalog& catalog, const SeriesReader& reader, ReadLimits limits,
             lanes::CustomerShares& answers, KeptFrom kept_from = {})
      : catalog_(catalog),
        reader_(reader),
        rolled_(reader),
        limits_(limits),
        answers_(answers),
        kept_from_(std::move(kept_from)) {}

  /// Before the first answer: roll-ups are read where they are stored; without it they are made of
  /// raw. `book` must outlive it.
  void use_rollups(const rolling::RollupBook& book) { rolled_.use_rollups(book); }

  /// Before the first answer: others share the store, and what they have open is read, too. It must
  /// outlive this.
  void use_elsewhere(OpenElsewhere& elsewhere) { elsewhere_ = &elsewhere; }

  /// Which series the request asks for; they are read as the stream is. kInvalid for matchers that
  /// are none; kNotFound where roll-ups are asked for that do not exist; kOverLimit past the
  /// limits, never silently less; kUnavailable past `customer`'s share of all answers' memory; the
  /// limit's error once it is over.
  Result<std::unique_ptr<ChunkStream>> chunks(std::string_view customer, const Fence& fence,
                                              const wire::remote_read::ReadRequest& request,
                                              std::shared_ptr<const store::WorkLimit> limit) const;
  /// All of it: a block of snappy cannot be sent in parts. Series without a sample in the range are
  /// left out, and those whose rows cannot be read, which are counted. Errors as of `chunks`.
  Result<SamplesAnswer> samples(std::string_view customer, const Fence& fence,
                                const wire::remote_read::ReadRequest& request,
                                const store::WorkLimit& limit = {}) const;

  /// Left out of answers: what was stored as a histogram and is none (check_histogram).
  std::uint64_t damaged_histograms() const { return damage_.histograms(); }
  /// Of answers: series that were left out because their stored rows are damaged.
  std::uint64_t damaged_series() const { return damage_.series(); }
  /// Of answers: rows that were left out because their data is damaged.
  std::uint64_t damaged_rows() const { return damage_.rows(); }

 private:
  /// What the making of one answer uses, all the way.
  struct Work {
    RequestReaders& readers;
    lanes::AnswerMemory& memory;
    const store::WorkLimit& limit;
  };
  std::shared_ptr<RequestReaders> make_readers(std::shared_ptr<lanes::AnswerMemory> memory) const;
  Result<std::vector<FoundQuery>> find(const Fence& fence,
                                       const wire::remote_read::ReadRequest& request,
                                       const Work& work) const;
  Result<void> check_windows(const FoundQuery& found, const Work& work) const;
  /// How many of `keys` it has read. Errors: those that nobody could be told of later.
  Result<std::size_t> read_ahead(const FoundQuery& found, const CustomerId& customer,
                                 const std::vector<store::SeriesKey>& keys, const Work& work) const;
  Result<void> find_ranges(FoundQuery& found, std::span<const CustomerId> customers) const;
  /// What of it is kept of a customer: where it begins, and what is read for that.
  struct KeptQuery {
    TimestampMs start_ms = 0;
    ReadRange range;
  };
  Result<KeptQuery> kept_of(const CustomerId& customer, const FoundQuery& found) const;
  Result<KeptQuery> kept_windows_of(const CustomerId& customer, const FoundQuery& found) const;
  TimestampMs kept_from_ms(const CustomerId& customer, Resolution resolution) const {
    return kept_from_ ? kept_from_(customer, resolution) : INT64_MIN;
  }
  Result<std::string> make_samples(const std::vector<FoundQuery>& queries, const Work& work) const;
  Result<void> add_samples(QueryReader& reader, wire::remote_read::SamplesResponse& response,
                           lanes::AnswerMemory& memory) const;

  const store::Catalog& catalog_;
  const SeriesReader& reader_;
  RolledReader rolled_;
  ReadLimits limits_;
  lanes::CustomerShares& answers_;
  KeptFrom kept_from_;
  OpenElsewhere* elsewhere_ = nullptr;
  mutable ReadDamage damage_;
};

}  // namespace vigia::storage::read
