// What the answer to an OTLP export means to who has sent the data: decided here for the agent and
// for the collector alike (docs/decisions/0013-one-judge-of-otlp-answers.md).
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "libs/base/result.hpp"
#include "libs/net/client.hpp"

namespace vigia::otlp {

struct ExportAnswer {
  enum class Meaning : std::uint8_t {
    kTaken,    ///< all of it, but for `rejected` items that the other side does not name
    kLater,    ///< not now, or something is set up wrongly: the data is not to blame, and is kept
    kRefused,  ///< this will never be taken as it is
    /// A fault over there, passing or brought about by this content: OTLP calls it final. Who sends
    /// for many can tell the two apart by what is taken of others meanwhile.
    kBroken,
  };
  Meaning meaning = Meaning::kTaken;
  /// In the other side's words, one line; of a success what it says beside it.
  std::string why = {};
  std::optional<Duration> retry_after = std::nullopt;  ///< with kLater
  std::uint64_t rejected = 0;                          ///< with kTaken
  bool is_timeout = false;                             ///< kLater, as no answer came in time
  bool is_too_large = false;                           ///< kRefused for its size: a part may pass
  /// kLater, and the compression may be why: 415 and UNIMPLEMENTED say no more.
  bool is_encoding_unknown = false;
  bool can_try_again = false;  ///< at once, with a simpler compression (ExportClient)
};

/// Of a request that got no answer at all: kLater, whatever went wrong.
ExportAnswer judge_failure(const Error& error);

/// By the status (OTLP/HTTP, "Failures"; R-EXP-2), beyond its letter: what speaks of address, path,
/// token, encoding or a proxy (redirects, 401, 403, 404, …) is kLater, since whoever runs the two
/// ends can mend it and the data is good. So is a page of a web site under a 2xx: nobody who
/// understood the request has answered.
ExportAnswer judge_http(const Result<net::ClientResponse>& response);

/// By the code (OTLP/gRPC, "Failures"; R-EXP-1); UNAUTHENTICATED, PERMISSION_DENIED, NOT_FOUND and
/// UNIMPLEMENTED speak of the set-up and are kLater. RESOURCE_EXHAUSTED is kLater with a RetryInfo,
/// else the request is too large.
ExportAnswer judge_grpc(const Result<net::GrpcReply>& reply);

}  // namespace vigia::otlp
