// Packs native histograms as Prometheus' histogram chunks (encodings 2 and 3), bit for bit.
// Format: docs/formats/chunk.md.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "libs/chunk/bit_writer.hpp"
#include "libs/model/sample.hpp"
#include "services/storage/histograms/bucket_places.hpp"
#include "services/storage/histograms/native_histogram.hpp"

namespace vigia::storage::histograms {

/// The two highest bits of a chunk's third byte. Nobody may go by kReset and kNoReset who does not
/// know what lies before the chunk: Prometheus' readers do not.
enum class ResetHeader : std::uint8_t {
  kUnknown = 0,
  kNoReset = 0x40,
  kReset = 0x80,
  kGauge = 0xc0
};

/// One chunk after the other, of histograms of one kind (integer or float) by time: where a
/// histogram cannot stand in the chunk of those before (a counter that was reset, another schema,
/// zero threshold or custom bounds, another kind of hint, anything behind a stale mark), the chunk
/// has to be taken first. What has other buckets stays in it: all of a chunk have the buckets of
/// each, with zeros, and so they are read. Thread contract: one thread at a time.
class HistogramWriter {
 public:
  /// Buckets × histograms of one chunk at most, unless one histogram has more.
  static constexpr std::size_t kCellsMax = std::size_t{1} << 18U;

  /// False where the chunk has to be taken first; then it holds what it held. REQUIRES: a sound
  /// histogram (check_histogram) of the kind of those before, a stale mark without anything else.
  bool append(TimestampMs time_ms, const NativeHistogram& histogram);
  /// The chunk; what comes next goes into another, that says how it goes on from this one.
  /// REQUIRES: samples() > 0.
  std::string take();
  /// What comes next follows nothing: floats stand before it, say, or histograms of another kind.
  /// REQUIRES: samples() == 0.
  void forget();

  std::size_t samples() const { return samples_.size(); }
  bool is_float() const { return samples_.back().is_float; }  ///< REQUIRES: samples() > 0
  TimestampMs first_ms() const { return samples_.front().time_ms; }
  TimestampMs last_ms() const { return samples_.back().time_ms; }

 private:
  /// Counts of the buckets themselves, of one kind.
  struct Side {
    BucketLayout layout;
    std::vector<std::int64_t> counts;
    std::vector<double> float_counts;
  };
  struct Kept {
    TimestampMs time_ms = 0;
    bool is_float = false;
    bool is_stale = false;
    std::uint64_t count = 0;
    std::uint64_t zero_count = 0;
    double float_count = 0;
    double float_zero_count = 0;
    double sum = 0;
    std::int32_t schema = 0;
    double zero_threshold = 0;
    std::vector<double> custom_bounds;
    ResetHint hint = ResetHint::kUnknown;
    Side positive;
    Side negative;
  };
  struct Verdict {
    bool is_next = false;  // it may stand behind the last one
    ResetHeader header = ResetHeader::kUnknown;
  };

  Kept keep(TimestampMs time_ms, const NativeHistogram& histogram) const;
  static Side keep(const Buckets& buckets, const Side* before);
  static Verdict follow(const Kept& last, bool is_gauge_chunk, const Kept& next);
  static bool loses(bool is_float, const Side& last, const Side& next);
  ResetHeader header_of(const Kept& first) const;
  bool take_layout(Kept& next);
  void write_layout(chunk::BitWriter& writer) const;
  void write_integers(chunk::BitWriter& writer) const;
  void write_floats(chunk::BitWriter& writer) const;

  std::vector<Kept> samples_;
  BucketLayout positive_;  // of the chunk
  BucketLayout negative_;
  ResetHeader header_ = ResetHeader::kUnknown;
  std::optional<Kept> before_;          // the last one of the chunk that was taken
  bool was_gauge_ = false;              // that chunk
  std::optional<ResetHeader> refused_;  // of what could not stand in the chunk that was taken
};

}  // namespace vigia::storage::histograms
