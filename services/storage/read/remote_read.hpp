// Answers remote-read requests from heads and chunks.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <string>

#include "libs/wire/remote_read/read_request.hpp"
#include "libs/wire/remote_read/read_response.hpp"
#include "services/storage/histograms/histogram_chunk.hpp"
#include "services/storage/lanes/customer_shares.hpp"
#include "services/storage/read/query_reader.hpp"
#include "services/storage/read/read_damage.hpp"
#include "services/storage/store/work_limit.hpp"

namespace vigia::storage::read {

/// Bounds of one request (R-RR-5); its memory has a bound in its customer's share.
struct ReadLimits {
  std::size_t series_max = 100'000;
};

struct ReadAnswer {
  bool is_chunks = false;  ///< a stream of frames; else one snappy block of samples
  /// The body, in pieces of a MiB or so: none of them is copied to make one.
  std::deque<std::string> pieces;
  std::uint64_t series = 0;
  std::shared_ptr<lanes::AnswerMemory> memory;  ///< of the pieces: released with each that is sent
};

using KeptFrom = std::function<TimestampMs(Resolution)>;

/// Thread contract: any thread.
class RemoteRead {
 public:
  /// All must outlive it. `kept_from`: what is older at that resolution is past its retention, and
  /// is not given, whatever still lies there (C46); without it everything is.
  RemoteRead(const store::Catalog& catalog, const SeriesReader& reader, ReadLimits limits,
             lanes::CustomerShares& answers, KeptFrom kept_from = {})
      : catalog_(catalog),
        reader_(reader),
        limits_(limits),
        answers_(answers),
        kept_from_(std::move(kept_from)) {}

  /// Series without a sample in the range are left out, and those whose rows cannot be read, which
  /// are counted. kOverLimit past the limits, never silently
  /// less; kUnavailable past `customer`'s share of all answers' memory; the limit's error once it
  /// is over.
  Result<ReadAnswer> answer(std::string_view customer, const Fence& fence,
                            const wire::remote_read::ReadRequest& request,
                            const store::WorkLimit& limit = {}) const;

  /// Left out of answers: what was stored as a histogram and is none (check_histogram).
  std::uint64_t damaged_histograms() const { return damage_.histograms(); }
  /// Of answers: series that were left out because their stored rows are damaged.
  std::uint64_t damaged_series() const { return damage_.series(); }

 private:
  struct Making {  // of one request
    const store::WorkLimit& limit;
    ReadAnswer answer;
  };
  Result<std::vector<FoundQuery>> find(const Fence& fence,
                                       const wire::remote_read::ReadRequest& request,
                                       lanes::AnswerMemory& memory,
                                       const store::WorkLimit& limit) const;
  Result<void> make_samples(const std::vector<FoundQuery>& queries, Making& making) const;
  Result<void> make_chunks(const std::vector<FoundQuery>& queries, Making& making) const;
  Result<bool> add_chunks(QueryReader& reader, std::size_t query_index,
                          wire::remote_read::ChunksResponse& response, Making& making) const;
  Result<std::vector<histograms::WireChunk>> with_histograms(
      const SeriesData& data, const wire::remote_read::Query& query) const;
  Result<void> add_samples(QueryReader& reader, wire::remote_read::SamplesResponse& response,
                           Making& making) const;

  const store::Catalog& catalog_;
  const SeriesReader& reader_;
  ReadLimits limits_;
  lanes::CustomerShares& answers_;
  KeptFrom kept_from_;
  mutable ReadDamage damage_;
};

}  // namespace vigia::storage::read
