// What a Prometheus asks by remote read (prompb/remote.proto, ReadRequest).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "libs/base/result.hpp"
#include "libs/model/matcher.hpp"
#include "libs/model/sample.hpp"

namespace vigia::wire::remote_read {

/// Numbered as ReadRequest.ResponseType on the wire.
enum class ResponseType : std::uint8_t { kSamples = 0, kStreamedXorChunks = 1 };

/// Samples from start_ms to end_ms, both included, of the series that all matchers match. Of the
/// hints their range is heeded, which lies in the query's: what of it this selector needs; and
/// whether samples are wanted at all. Nothing else of them: they do not say what becomes of the
/// samples.
struct Query {
  TimestampMs start_ms = 0;
  TimestampMs end_ms = 0;
  std::vector<Matcher> matchers;
  bool wants_labels_alone = false;  ///< func "series": what Prometheus asks for /api/v1/series
};

struct ReadRequest {
  std::vector<Query> queries;
  /// The first type of the client's list that we know; SAMPLES where it gave no list (R-RR-2).
  ResponseType response_type = ResponseType::kSamples;
};

inline constexpr std::size_t kRequestBytesMax = 1U << 20U;  ///< after decompression
inline constexpr std::size_t kQueriesMax = 64;
inline constexpr std::size_t kMatchersMax = 256;  ///< of one query

/// `body` is a snappy block. kTooLarge by the length that it declares, before memory is taken, or
/// past the other limits; kInvalid for anything that is not such a message, and where the client
/// takes none of the types that we know.
Result<ReadRequest> parse_read_request(std::string_view body);

/// The request as a client sends it: for tests and for our own reads from other servers.
std::string encode_read_request(const std::vector<Query>& queries,
                                const std::vector<ResponseType>& accepted);

}  // namespace vigia::wire::remote_read
