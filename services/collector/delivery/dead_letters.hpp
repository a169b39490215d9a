// What a destination will never take is set aside here, readable, with the reason.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "libs/base/result.hpp"
#include "libs/model/ids.hpp"
#include "libs/model/signal.hpp"

namespace vigia::collector::delivery {

struct DeadLetter {
  CustomerId customer;
  Signal signal = Signal::kMetrics;
  std::int64_t time_ms = 0;
  std::string_view why;
  std::string_view content;  ///< as text where it is text: a series with its value
  std::string_view message;  ///< the bytes that were refused, written in hex
};

/// A file of lines, one JSON object a letter; a full one is kept as `.1`. Thread contract: one
/// thread.
class DeadLetters {
 public:
  /// Nothing is created before the first letter.
  DeadLetters(std::string data_directory, std::string_view exporter);
  /// kUnavailable where it cannot be written: the letter is lost, and counted all the same.
  Result<void> write(const DeadLetter& letter);
  const std::string& path() const { return path_; }

  static constexpr std::uint64_t kFileBytesMax = 32U << 20U;
  static constexpr std::size_t kMessageBytesMax = 64U << 10U;  ///< of one letter; more is cut

 private:
  std::string directory_;
  std::string path_;
};

}  // namespace vigia::collector::delivery
