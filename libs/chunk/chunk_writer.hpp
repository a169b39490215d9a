// Packs float samples of one series as Prometheus' XOR chunk (encoding 1), bit for bit.
// Format: docs/formats/chunk.md.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "libs/chunk/sample_encoder.hpp"
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
  std::size_t samples() const { return encoder_.samples(); }
  TimestampMs first_ms() const { return encoder_.first_ms(); }  ///< REQUIRES: samples() > 0
  TimestampMs last_ms() const { return encoder_.last_ms(); }    ///< REQUIRES: samples() > 0
  double last_value() const { return encoder_.last_value(); }   ///< REQUIRES: samples() > 0
  /// Memory that it holds beside itself.
  std::size_t memory_bytes() const { return bytes_.capacity(); }
  /// Takes memory for so many bytes at once, for who knows how many samples come.
  void reserve(std::size_t bytes);
  /// Empty again, memory given back.
  void reset();

 private:
  void make_room();
  void count_samples();

  SampleEncoder encoder_;
  std::vector<std::uint8_t> bytes_;  // as many as there is room for
  std::size_t size_ = 0;             // those of the chunk
  unsigned free_bits_ = 0;           // in the last byte
};

}  // namespace vigia::chunk
