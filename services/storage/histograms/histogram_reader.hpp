// Unpacks Prometheus' histogram chunks (encodings 2 and 3). Format: docs/formats/chunk.md.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "libs/base/result.hpp"
#include "libs/chunk/bit_reader.hpp"
#include "libs/chunk/histogram_record.hpp"
#include "libs/model/sample.hpp"
#include "services/storage/histograms/chunk_numbers.hpp"
#include "services/storage/histograms/histogram_writer.hpp"
#include "services/storage/histograms/native_histogram.hpp"

namespace vigia::storage::histograms {

/// Reads one chunk from front to back. Any bytes may be given: damage ends the reading. What it
/// holds follows from the bytes that are there, never from a number in them: no bucket takes less
/// than a bit. `bytes` must outlive it. Thread contract: one thread at a time.
class HistogramReader {
 public:
  HistogramReader(bool is_float, std::string_view bytes);

  /// The next one: with the buckets of all of the chunk, and a hint as Prometheus gives it (gauge,
  /// no reset behind the first one, else unknown). False at the end, or where it is_damaged().
  bool next(TimestampMs& time_ms, NativeHistogram& histogram);
  bool is_damaged() const { return is_damaged_; }
  /// What the chunk's head promises.
  std::size_t samples() const { return samples_; }
  ResetHeader header() const { return header_; }
  /// At most, of all its histograms as messages: some eighty times the bytes, where no sender cut
  /// his spans to nothing.
  std::uint64_t message_bytes_max() const;

 private:
  struct Twice {
    std::uint64_t value = 0;
    std::uint64_t delta = 0;
    bool read(chunk::BitReader& reader);
  };

  bool read_layout();
  bool read_spans(std::vector<BucketSpan>& spans, std::size_t& buckets);
  bool read_first();
  bool read_next();
  bool read_numbers();
  bool read_buckets();
  NativeHistogram made() const;

  const bool is_float_;
  std::size_t bits_;  // of all of it
  chunk::BitReader reader_;
  std::size_t samples_ = 0;
  std::size_t read_ = 0;
  ResetHeader header_ = ResetHeader::kUnknown;
  bool is_damaged_ = false;
  NativeHistogram layout_;
  std::size_t positive_ = 0;  // buckets
  std::size_t negative_ = 0;
  Twice time_;
  Twice count_;
  Twice zero_count_;
  XorNumber sum_;
  XorNumber float_count_;
  XorNumber float_zero_count_;
  std::vector<Twice> buckets_;  // the negative ones last
  std::vector<XorNumber> float_buckets_;
};

/// All of them, as messages. kCorrupt on damage.
Result<std::vector<chunk::HistogramSample>> unpack_histograms(bool is_float,
                                                              std::string_view bytes);

}  // namespace vigia::storage::histograms
