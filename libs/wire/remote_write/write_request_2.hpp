// Prometheus remote write 2.0 (R-RW-5, R-RW-6): an io.prometheus.write.v2.Request, whose texts
// stand once in a table of symbols, read as the series of 1.0 that it stands for.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "libs/wire/remote_write/write_request.hpp"

namespace vigia::wire::remote_write {

/// The values of a Content-Type's parameter `proto`.
inline constexpr std::string_view kMessage1 = "prometheus.WriteRequest";
inline constexpr std::string_view kMessage2 = "io.prometheus.write.v2.Request";

enum class WriteVersion : std::uint8_t { k1, k2 };

/// Of a request's media type (lower case, without parameters), its parameter `proto` and its
/// Content-Encoding, in any case. Nothing for what is not read here: that is a 415.
std::optional<WriteVersion> version_of(std::string_view type, std::string_view message,
                                       std::string_view coding);
/// For such an answer: what may be sent instead.
std::string_view versions_there_are();

/// What an answer says of a request, be it whole or a part of it.
inline constexpr std::string_view kSamplesWritten = "x-prometheus-remote-write-samples-written";
inline constexpr std::string_view kHistogramsWritten =
    "x-prometheus-remote-write-histograms-written";
inline constexpr std::string_view kExemplarsWritten = "x-prometheus-remote-write-exemplars-written";

struct SymbolLimits {
  /// A symbol of no byte takes two on the wire and sixteen in memory.
  std::size_t symbols_max = 1U << 18U;
  /// Of all labels of series and exemplars as 1.0 would write them: some bytes of references stand
  /// for a text of any length, as often as they are repeated.
  std::size_t label_bytes_max = 16U << 20U;
};

/// Series as decode_request gives them: `label_bytes` are what 1.0 writes for these labels, so that
/// a series is the same by both versions. Metadata that says anything stands in its series, with
/// the series' metric name as its family. Start times are those of the values themselves, or, as
/// the protocol had it first, that of their series. A series with samples and histograms goes to
/// on_bad_series, and so does one with a reference that leads nowhere, be it of a label, an
/// exemplar or its metadata, or with a name without a value; its labels are those that lead
/// somewhere. kTooLarge past a limit, kInvalid for what is no such message, or has a first symbol
/// that is not empty.
Result<void> decode_request_2(std::string_view body, const DecodeLimits& limits,
                              const SymbolLimits& symbols, WriteVisitor& visitor);
/// The same for a message that is decompressed already.
Result<void> decode_message_2(std::string_view message, const DecodeLimits& limits,
                              const SymbolLimits& symbols, WriteVisitor& visitor);

}  // namespace vigia::wire::remote_write
