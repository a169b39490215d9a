// Numbers as the bits of Prometheus' histogram chunks have them. Format: docs/formats/chunk.md.
#pragma once

#include <cstdint>

#include "libs/chunk/bit_reader.hpp"
#include "libs/chunk/bit_writer.hpp"

namespace vigia::storage::histograms {

/// In one of nine widths. A reader's function is false where the bits end.
void write_unsigned(chunk::BitWriter& writer, std::uint64_t value);
void write_signed(chunk::BitWriter& writer, std::int64_t value);
bool read_unsigned(chunk::BitReader& reader, std::uint64_t& value);
bool read_signed(chunk::BitReader& reader, std::int64_t& value);

void write_double(chunk::BitWriter& writer, double value);
bool read_double(chunk::BitReader& reader, double& value);

/// One byte for 0 and for powers of two around 1; else 255 and the number.
void write_zero_threshold(chunk::BitWriter& writer, double threshold);
bool read_zero_threshold(chunk::BitReader& reader, double& threshold);

/// A bound of custom buckets: in whole thousandths where it is that and small; else a 0 and the
/// number.
void write_bound(chunk::BitWriter& writer, double bound);
bool read_bound(chunk::BitReader& reader, double& bound);

/// A float that is written as what differs from the one before; NaNs keep their bits.
class XorNumber {
 public:
  /// The first one, in full.
  void begin(chunk::BitWriter& writer, double value);
  bool begin(chunk::BitReader& reader);
  void write(chunk::BitWriter& writer, double value);
  /// False where the bits end, or say what no writer writes.
  bool read(chunk::BitReader& reader);
  double value() const;

 private:
  bool read_window(chunk::BitReader& reader);

  static constexpr std::uint8_t kNoWindow = 0xff;
  std::uint64_t bits_ = 0;
  std::uint8_t leading_ = kNoWindow;  // zero bits before and behind the last one that was written
  std::uint8_t trailing_ = 0;         // with a window of its own
};

}  // namespace vigia::storage::histograms
