// What has been added up for one stream of deltas.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "libs/base/bytes.hpp"
#include "libs/base/clock.hpp"
#include "libs/base/result.hpp"
#include "libs/deltas/exponential_sum.hpp"
#include "libs/deltas/stream_key.hpp"

namespace vigia::deltas {

/// Which times a stream has points of: what comes a second time (its sender heard no answer) is not
/// added twice, and what comes late is still added once.
class KnownTimes {
 public:
  /// False of one that was added, or is older than what is remembered.
  bool is_new(std::uint64_t time_ns) const;
  void add(std::uint64_t time_ns);
  /// Of those added; 0: none was.
  std::uint64_t latest() const { return count_ == 0 ? 0 : times_[count_ - 1]; }
  void encode(std::string& out) const;
  static KnownTimes decode(ByteReader& reader);
  bool operator==(const KnownTimes&) const = default;

  /// At one point each 10 s these are the last 160 s.
  static constexpr std::size_t kRememberedMax = 16;

 private:
  const std::uint64_t* end() const { return times_.data() + count_; }

  std::array<std::uint64_t, kRememberedMax> times_{};  // ascending; behind count_ all are 0
  std::size_t count_ = 0;
  std::uint64_t horizon_ = 0;  // nothing up to this one is new
};

/// All of it that lasts is on disk as docs/formats/delta-states.md tells.
struct StreamState {
  std::uint64_t start_ns = 0;  ///< of the first point; 0: nothing was added
  std::uint64_t written_ns =
      0;  ///< of the last point that was written, those from the future apart
  KnownTimes known = {};
  TimePoint used_at{};  ///< steady; not kept
  bool is_double = false;
  std::int64_t whole = 0;
  double real = 0;  ///< of a sum that is no integer; of a histogram its sum
  std::uint64_t count = 0;
  std::vector<std::uint64_t> buckets = {};
  std::string bounds = {};  ///< as encoded; others begin a new state
  ExponentialSum exponential = {};
  bool is_exponential = false;

  /// Begins with the next point. What was added is still known, and no time is written twice.
  void restart();
  /// What it takes in memory: of exponential buckets the most that they can, so that a stream that
  /// is there never needs more room.
  std::size_t bytes() const;
  void encode(std::string& out) const;
  /// The reader is at fault afterwards where the bytes are not what encode writes.
  static StreamState decode(ByteReader& reader);
  bool operator==(const StreamState&) const = default;
};

/// One stream with what has become of it.
struct StreamChange {
  StreamKey key;
  const StreamState* state = nullptr;  ///< null: it has ended
};
void append_change(std::string& out, const StreamChange& change);

}  // namespace vigia::deltas
