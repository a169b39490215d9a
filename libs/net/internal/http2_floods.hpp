// What a client pays on one HTTP/2 connection for frames that make work and carry no request.
#pragma once

#include <cstdint>

#include "libs/base/clock.hpp"
#include "libs/net/internal/control_budget.hpp"

namespace vigia::net::internal {

/// Each charge says whether the client may go on; once one says no, the connection has to end.
/// Requests and what the client reads of answers earn what they may cost.
class Http2Floods {
 public:
  explicit Http2Floods(TimePoint now) : budget_(now) {}

  /// Bytes have come and been read. Those of frames that nobody told of are charged: nghttp2 passes
  /// frames on streams that are gone by its callbacks.
  bool read(std::size_t bytes, TimePoint now);
  /// The head of a frame has come, before a byte of the frame: a client that sends heads alone
  /// pays.
  void see_frame(std::size_t payload_bytes);
  bool control_frame(TimePoint now) { return budget_.spend(1, now); }
  /// DATA that no request takes.
  bool discarded(std::uint64_t bytes, TimePoint now);
  /// The client made the server reset a stream, or sent what is no frame there.
  bool fault(TimePoint now);
  /// A request was taken back after so many bytes of its body: they cost memory, and nothing else
  /// would count them.
  bool taken_back(std::size_t bytes, TimePoint now);

  void whole_request();
  /// A client that reads a large answer sends window updates all the time: what it takes pays for
  /// them.
  void sent(std::size_t bytes);

 private:
  ControlBudget budget_;
  std::uint64_t received_bytes_ = 0;
  std::uint64_t seen_bytes_ = 0;  // of frames that nghttp2 told of, those under way in full
};

}  // namespace vigia::net::internal
