// Brings what a Prometheus has into a cold store that runs: remote read from the one, remote write
// to the other.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "libs/base/clock.hpp"
#include "libs/base/result.hpp"
#include "libs/model/ids.hpp"
#include "libs/model/sample.hpp"
#include "libs/net/client.hpp"

namespace vigia::storage::keep {

struct BackfillJob {
  std::string prometheus;                     ///< its URL, without a path behind its prefix
  std::string storage;                        ///< likewise
  std::string token;                          ///< storage's internal one
  std::optional<net::TlsClientSettings> tls;  ///< of both, where their URLs are https
  std::optional<CustomerId> customer;         ///< nothing: everybody's series, and nobody's
  TimestampMs from_ms = 0;
  TimestampMs to_ms = 0;   ///< included
  std::string state_file;  ///< how far it is, to go on after a kill; "": from the beginning
};

struct BackfillCounts {
  std::uint64_t read = 0;  ///< samples and native histograms
  /// That the store says it has on disk, those included that were there already.
  std::uint64_t stored = 0;
  std::uint64_t refusals = 0;  ///< requests of which it refused a part
  std::string first_refusal;   ///< its words
};

/// Told after each piece: up to which time all is done.
using BackfillProgress = std::function<void(TimestampMs done_ms, const BackfillCounts& counts)>;

/// In pieces of a day at most, less where an answer would be larger than 64 MiB: those are held,
/// and up to 256 MiB of what they unpack to. What comes twice is stored once. Waits for a store or
/// a Prometheus that refuses for now, ten minutes at most. kInvalid where the state file is of
/// another job; kUnavailable; the words of a Prometheus that does not answer.
Result<BackfillCounts> backfill(const BackfillJob& job, net::Client& client, const Clock& clock,
                                const BackfillProgress& progress);

/// A prompb.ReadResponse's series as messages of remote write, about `bytes_max` each: a TimeSeries
/// is one message in both protocols, native histograms included. The number of samples and
/// histograms goes with each. kCorrupt for what is no such message; an error of `send` ends it.
using SendMessage = std::function<Result<void>(std::string_view message, std::uint64_t items)>;
Result<void> each_write_of(std::string_view response, std::size_t bytes_max,
                           const SendMessage& send);

}  // namespace vigia::storage::keep
