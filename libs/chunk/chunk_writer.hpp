// Packs float samples of one series as Prometheus' XOR chunk (encoding 1), bit for bit.
// Format: docs/formats/chunk.md.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "libs/chunk/bit_writer.hpp"
#include "libs/chunk/limits.hpp"
#include "libs/model/sample.hpp"

namespace vigia::chunk {

/// Thread contract: one thread at a time; a copy of `bytes` may be read anywhere.
class ChunkWriter {
 public:
  /// Appends one sample. The format takes any order of time stamps; a caller that wants them
  /// ascending sees to it. NaNs keep their bits. Where it throws for lack of memory the chunk is
  /// what it was. REQUIRES: samples() < kSamplesMax.
  void append(const Sample& sample);

  /// The chunk so far, complete at any time; no bytes where it has no samples. Valid until the next
  /// append.
  std::string_view bytes() const;
  std::size_t samples() const { return samples_; }
  TimestampMs first_ms() const { return first_ms_; }  ///< REQUIRES: samples() > 0
  TimestampMs last_ms() const { return last_ms_; }    ///< REQUIRES: samples() > 0
  double last_value() const;                          ///< REQUIRES: samples() > 0
  /// Memory that it holds beside itself.
  std::size_t memory_bytes() const { return bits_.bytes().capacity(); }
  /// Empty again, memory given back.
  void reset();

 private:
  void write_time(TimestampMs timestamp_ms);
  void write_value(std::uint64_t value_bits);
  void count_sample();

  BitWriter bits_;
  TimestampMs first_ms_ = 0;
  TimestampMs last_ms_ = 0;
  std::uint64_t delta_ms_ = 0;
  std::uint64_t value_bits_ = 0;
  std::uint16_t samples_ = 0;
  std::uint8_t leading_ = kNoWindow;  // zero bits before and behind the last value that was written
  std::uint8_t trailing_ = 0;         // with a window of its own

  static constexpr std::uint8_t kNoWindow = 0xff;
};

}  // namespace vigia::chunk
