// Finds the members of an answer's envelope while it arrives, without keeping its data.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "libs/base/result.hpp"
#include "libs/wire/prometheus_api/json_walk.hpp"

namespace vigia::wire::prometheus_api {

/// Bytes of the body, counted from its begin.
struct ByteRange {
  std::uint64_t at = 0;
  std::uint64_t size = 0;
  std::uint64_t end() const { return at + size; }
  bool operator==(const ByteRange&) const = default;
};

/// What is known of a body when all of it has gone by.
struct ScannedEnvelope {
  std::string rest;               ///< the body with null in the place of its data
  std::optional<ByteRange> data;  ///< nothing: it has none
  /// Of the data's own member "stats", with the comma before it; nothing where it is not there, is
  /// the first, or is longer than EnvelopeScanner::kStatsBytesMax.
  std::optional<ByteRange> stats;
  std::string stats_text;  ///< its value
  /// Items of the data's own member "result": of a vector or a matrix its series.
  std::uint64_t results = 0;
};

/// Takes the body in pieces of any size, and checks every byte of it, as JsonWalk does. Its memory
/// is bounded whatever comes. One thread at a time.
class EnvelopeScanner final : private JsonListener {
 public:
  static constexpr std::size_t kStatsBytesMax = 4'096;
  /// Of all but the data: a store's warnings are some hundreds of bytes.
  static constexpr std::size_t kRestBytesMax = 256U << 10U;

  EnvelopeScanner() = default;
  EnvelopeScanner(const EnvelopeScanner&) = delete;
  EnvelopeScanner& operator=(const EnvelopeScanner&) = delete;

  /// False, for good, where the body cannot be an answer of Prometheus' API any more.
  [[nodiscard]] bool take(std::string_view bytes);
  /// kCorrupt where it is none. Once, after the last piece.
  Result<ScannedEnvelope> finish();

 private:
  /// A part of the body that is copied, which goes over any number of pieces.
  struct Copy {
    bool is_open = false;
    std::uint64_t from = 0;  // of the part that is not copied yet
  };

  void on_key(std::size_t depth, std::string_view raw) override;
  void on_begin(std::size_t depth, std::uint64_t at) override;
  void on_end(std::size_t depth, std::uint64_t at) override;
  void on_comma(std::size_t depth, std::uint64_t at) override;
  void begin_data(std::uint64_t at);
  void begin_root(std::uint64_t at);
  /// Copies up to there; `bytes_max` bounds what the text has in all.
  bool copy(Copy& part, std::uint64_t to, std::string& text, std::size_t bytes_max);

  JsonWalk walk_{*this};
  ScannedEnvelope found_;
  std::string_view piece_;        // while one is taken
  std::uint64_t piece_from_ = 0;  // where in the body it begins
  bool is_good_ = true;
  bool is_data_key_ = false;   // the value that comes next at depth 1 is the data
  bool is_stats_key_ = false;  // that at depth 2 is the statistics
  bool is_in_data_ = false;
  bool is_in_stats_ = false;
  bool is_in_results_ = false;
  std::optional<std::uint64_t> data_comma_;  // the last one in the data
  Copy rest_copy_;
  Copy stats_copy_;
  ByteRange stats_;  // that are being read
};

}  // namespace vigia::wire::prometheus_api
