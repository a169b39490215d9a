// Every bound of what is taken that no configuration key sets.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace vigia::collector::intake {

/// A sample this far ahead of our clock makes Prometheus refuse everybody's.
inline constexpr std::int64_t kFutureMax_ms = 5LL * 60 * 1000;

/// While our own clock is in doubt: it is mended in minutes, not seconds.
inline constexpr std::chrono::seconds kClockRetryAfter{30};
/// Times that are added to records without one stay this near to the clock.
inline constexpr std::uint64_t kAddedTimesAheadMax_ns = 1'000'000'000;

/// What a customer may send at once after a silence, in seconds of its rates.
inline constexpr double kBurst_s = 10;
/// By how much one request may overdraw what is left of that, in seconds of the rate.
inline constexpr double kOverdraft_s = 10;
/// And at least by so much: a request that any SDK makes passes in its turn, however low the rate.
/// Batches are 512 items, rarely 2,000; other receivers take 4 MiB.
inline constexpr double kOverdraftItemsMin = 2000;
inline constexpr double kOverdraftBytesMin = 4U << 20U;

/// What one request may hold. Other receivers take 4 MiB (gRPC) or 20 MiB (HTTP), which is some
/// 70,000 or 350,000 of the smallest items that anybody sends.
inline constexpr std::uint32_t kRequestPointsMax = 1'000'000;
/// Spans or log records: each is a row of the long-term store, which takes so many in a request.
inline constexpr std::uint32_t kRequestRecordsMax = 100'000;
/// Resources, scopes and metrics in which no item stands.
inline constexpr std::uint32_t kRequestEmptyEnvelopesMax = 100'000;
/// What all requests of remote write that are worked on may be in memory, each its message and what
/// is made of it; one customer has two thirds of it at most, and less beside others (net::Budget).
inline constexpr std::uint64_t kRemoteWriteBytesMax = 128ULL << 20U;
/// So much one may have whatever the others have: a usual request of 2,000 samples is 1 MiB.
inline constexpr std::uint64_t kRemoteWriteSmallBytes = 2ULL << 20U;

/// Bytes of fields that OTLP does not know, beyond which they may not be most of a request. What
/// any receiver takes (4 MiB over gRPC) is never refused for them: a newer sender is served by what
/// of it is known.
inline constexpr std::size_t kRequestUnknownBytesMax = 4U << 20U;

/// A request of up to so much is kept as one record; a larger one is cut into records of about
/// kPieceBytes, for whoever reads the log holds a record whole, each exporter and both its lanes.
inline constexpr std::size_t kWholeBytesMax = 4U << 20U;
inline constexpr std::size_t kPieceBytes = 2U << 20U;
/// One point, span or log record, which cannot be cut. What other receivers take over gRPC is a
/// whole request of 4 MiB.
inline constexpr std::size_t kItemBytesMax = 4U << 20U;
/// Resource, scope and metric beside their items, which stand in each piece: an eighth of it.
inline constexpr std::size_t kEnclosingBytesMax = kPieceBytes / 8;

/// One encoded resource or scope: it stands on each of its items. Usual ones have 1 to 4 KiB.
inline constexpr std::size_t kResourceBytesMax = 64U << 10U;
/// A span's or log record's, its events' and links' included. SDKs stop at 128 a span and event.
inline constexpr std::uint32_t kItemAttributesMax = 1024;
/// A point's as they come: several of one key are one label, and a customer's labels_per_series
/// counts those that are made.
inline constexpr std::size_t kPointAttributesMax = 16'384;
/// A span's events and links together: an empty one of two bytes becomes fifty where it is shown.
/// SDKs stop at 128 of each.
inline constexpr std::uint32_t kSpanPartsMax = 1024;

/// What the points of a request may become: each value with all its labels, as it is sent.
/// 300,000 values of 400 bytes.
inline constexpr std::uint64_t kExpandedPointBytesMax = 128ULL << 20U;
/// Likewise spans and log records, each with its resource and scope: 100,000 of 100 bytes with a
/// resource of 2 KiB.
inline constexpr std::uint64_t kExpandedRecordBytesMax = 256ULL << 20U;
/// Of what they become this part is charged as bytes, where it is more than the body: ordinary
/// data grows three- to twelvefold.
inline constexpr std::uint64_t kExpansionFree = 16;

/// How long a sender is asked to wait where the log is full or memory is short.
inline constexpr std::chrono::seconds kRetryAfter{5};

/// Reasons told in one answer; R-OTLP-4 bounds answers to 4 MiB, this stays far below.
inline constexpr std::size_t kAnswerTextMax = 1024;

}  // namespace vigia::collector::intake
