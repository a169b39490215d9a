// Lines of a live tail that wait for its client.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "services/router/api/loki/answer.hpp"

namespace vigia::router::api::loki {

struct TailLine {
  std::int64_t time_ns = 0;
  std::string stream;  ///< its labels, as JSON
  std::string value;   ///< ["TIME","TEXT"], as JSON
  std::size_t bytes() const;
};

/// Bounded: where a client reads more slowly than lines come, the oldest that wait go, and the next
/// message names them (kNamedMax of them, and kNamedBytesMax). A line that would need all of the
/// room goes, too. Any thread.
class TailQueue {
 public:
  static constexpr std::size_t kBytesMax = 512U << 10U;  ///< of JSON, and of what keeps it
  static constexpr std::size_t kMessageBytesMax = 64U << 10U;
  static constexpr std::size_t kNamedMax = 1'000;
  static constexpr std::size_t kNamedBytesMax = 64U << 10U;  ///< of their labels

  /// `is_by_category`: as StreamsAnswer.
  explicit TailQueue(bool is_by_category) : is_by_category_(is_by_category) {}

  TailLine made_of(const AnsweredLine& line) const;

  void push(TailLine line);
  /// Lines from that time on were passed over, nobody knows how many.
  void note_skipped(std::int64_t time_ns);
  /// {"streams":[…],"dropped_entries":[…]} of the first of them, in order: neighbours of one stream
  /// stand together. "": none wait.
  std::string take_message();
  /// Since the begin.
  std::uint64_t pushed() const;
  std::uint64_t dropped() const;

 private:
  struct Dropped {
    std::int64_t time_ns;
    std::string stream;
  };
  void drop_first();
  void name_dropped(std::int64_t time_ns, std::string stream);
  void append_streams(std::string& body);
  void append_dropped(std::string& body);

  const bool is_by_category_;
  mutable std::mutex mutex_;
  std::deque<TailLine> lines_;
  std::size_t bytes_ = 0;
  std::vector<Dropped> dropped_;
  std::size_t named_bytes_ = 0;
  std::uint64_t pushed_count_ = 0;
  std::uint64_t dropped_count_ = 0;
};

}  // namespace vigia::router::api::loki
