// Unpacks the float samples of a Prometheus XOR chunk (encoding 1; docs/formats/chunk.md). A count
// that says too little is not found here: still samples are zeros, as what fills the last byte is.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "libs/base/result.hpp"
#include "libs/chunk/bit_reader.hpp"
#include "libs/model/sample.hpp"

namespace vigia::chunk {

/// Reads one chunk from front to back. Any bytes may be given: damage ends the reading. `bytes`
/// must outlive the reader. Thread contract: one thread at a time.
class ChunkReader {
 public:
  explicit ChunkReader(std::string_view bytes);

  /// The next sample. False at the end, or where the bytes end before the samples that were
  /// promised: then is_damaged().
  bool next(Sample& sample);
  bool is_damaged() const { return is_damaged_; }
  /// What the chunk's head promises.
  std::size_t samples() const { return samples_; }

 private:
  bool read_time();
  bool read_value();
  bool read_change_of_delta(std::uint64_t& change);

  BitReader bits_;
  std::size_t samples_ = 0;
  std::size_t read_ = 0;
  std::uint64_t time_ms_ = 0;
  std::uint64_t delta_ms_ = 0;
  std::uint64_t value_bits_ = 0;
  unsigned leading_ = 0;
  unsigned trailing_ = 0;
  bool is_damaged_ = false;
};

/// All samples. kCorrupt on damage.
Result<std::vector<Sample>> read_samples(std::string_view bytes);

}  // namespace vigia::chunk
