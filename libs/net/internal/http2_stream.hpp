// One stream of an HTTP/2 connection.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>

#include "libs/base/check.hpp"
#include "libs/base/clock.hpp"
#include "libs/net/internal/core.hpp"
#include "libs/net/internal/grpc_exchange.hpp"
#include "libs/net/internal/intake.hpp"
#include "libs/net/message.hpp"

namespace vigia::net::internal {

/// One request and its answer, from the first of its headers until the stream is closed.
struct Http2Stream {
  RequestAssembly& taken() {
    CHECK(intake.has_value());
    return *intake;
  }

  /// Whether its client's DATA is for somebody.
  bool takes_data() const {
    return exchange ? !exchange->is_over() && !is_whole : !is_answered && intake.has_value();
  }

  RequestHead head;
  std::size_t header_bytes = 0;
  Holding head_bytes;  // until there is an intake
  std::optional<RequestAssembly> intake;
  std::unique_ptr<GrpcExchange> exchange;  // of a call with several messages, begun when answered
  TimePoint started;
  std::optional<TimePoint> deadline;  // of the client: grpc-timeout
  TimePoint progressed;               // of the answer: when kPaceBytes of it had gone
  std::size_t paced_bytes = 0;        // of the answer, gone since then
  std::size_t body_bytes = 0;         // come of the request
  bool is_head_method = false;
  bool is_whole = false;                 // the request
  std::optional<TimePoint> waits_since;  // whole, and held back while answers are not read
  bool is_answered = false;
  bool is_deferred = false;        // the answer has nothing ready
  std::size_t unsent_bytes = 0;    // what the answer is counted with
  std::optional<TimePoint> ended;  // the answer is sent, the request still comes
  Response response;
  std::size_t offset = 0;

  /// The next bytes of the answer's body into `room`; `is_end` with the last; 0 without the end
  /// where it has none ready. Nothing where the
  /// answer cannot go on: the stream has to be reset, for an answer that just ended would look
  /// whole. `unsent_of_all` as for count_unsent.
  std::optional<std::size_t> read_body(std::span<std::uint8_t> room, bool& is_end,
                                       SessionHost& host, std::size_t& unsent_of_all);
  /// What the answer holds in memory, this stream included.
  std::size_t answer_bytes() const { return kStreamBytes + response.body.size(); }
  /// From now on it counts with `bytes` among what all streams have not sent.
  void count_unsent(std::size_t bytes, std::size_t& unsent_of_all) {
    unsent_of_all += bytes - unsent_bytes;  // less is more, modulo 2^64
    unsent_bytes = bytes;
  }

  // What a stream costs beside its answer's body: itself, nghttp2's, the headers.
  static constexpr std::size_t kStreamBytes = 2048;
};

}  // namespace vigia::net::internal
