// A remote read of chunks that is under way: frames, piece by piece.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "libs/wire/remote_read/read_response.hpp"
#include "services/storage/histograms/histogram_chunk.hpp"
#include "services/storage/lanes/answer_memory.hpp"
#include "services/storage/read/query_reader.hpp"
#include "services/storage/read/read_damage.hpp"
#include "services/storage/store/work_limit.hpp"

namespace vigia::storage::read {

/// Holds no more than the list of its series, the piece that is being made, and what one series
/// needs for that. Series without a sample in the range are left out, and those whose rows cannot
/// be read, which are counted. Thread contract: one thread at a time.
class ChunkStream {
 public:
  /// What one answer may hold beside the list of its series (R-RR-5).
  static constexpr std::size_t kBytesMax = 64U << 20U;

  /// What `readers` are made of and `damage` must outlive it; `memory` is theirs, and holds the
  /// series of the queries already.
  ChunkStream(std::shared_ptr<RequestReaders> readers, ReadDamage& damage,
              std::vector<FoundQuery> queries, std::shared_ptr<lanes::AnswerMemory> memory,
              std::shared_ptr<const store::WorkLimit> limit);

  /// Some 256 KiB of whole frames, or one frame that is larger; "" at the end; nothing where
  /// `turn_end` came first: then the next call goes on. Its size was added to `memory`: whoever
  /// lets go of the piece releases that much. kOverLimit where a series needs more than kBytesMax
  /// or the memory's own bound, never silently less; kUnavailable past the customer's share of all
  /// answers' memory; the limit's error once it is over. After an error the stream is over.
  Result<std::optional<std::string>> next(std::chrono::steady_clock::time_point turn_end);
  /// Lets go of what the store holds for it, until the next piece: for a client that does not keep
  /// up. Rows that come meanwhile may then be read.
  void pause();

  std::shared_ptr<RequestReaders> readers() const { return readers_; }
  lanes::AnswerMemory& memory() { return *memory_; }
  const store::WorkLimit& limit() const { return *limit_; }

 private:
  Result<void> add_next();
  Result<bool> add_labels(lanes::AnswerMemory& memory);
  Result<bool> add_series(lanes::AnswerMemory& memory);
  Result<std::vector<histograms::WireChunk>> with_histograms(const SeriesData& data) const;
  std::string take_piece();

  std::shared_ptr<lanes::AnswerMemory> memory_;
  const std::shared_ptr<RequestReaders> readers_;
  ReadDamage& damage_;
  const std::vector<FoundQuery> queries_;
  std::shared_ptr<const store::WorkLimit> limit_;
  wire::remote_read::ChunksResponse response_;
  std::size_t query_ = 0;         // that is read
  std::size_t first_series_ = 0;  // of it, where its reader begins
  std::optional<QueryReader> query_reader_;
};

}  // namespace vigia::storage::read
