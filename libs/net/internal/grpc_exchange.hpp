// The messages of one gRPC call whose client sends several: taken apart, answered, framed.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "libs/base/result.hpp"
#include "libs/net/budget.hpp"
#include "libs/net/grpc_talk.hpp"
#include "libs/net/message.hpp"

namespace vigia::net::internal {

/// Holds at most one message of `message_bytes_max`, or kPendingBytes of smaller ones that wait for
/// the client to read: a client that asks on and does not read ends its call. On one loop.
class GrpcExchange {
 public:
  /// `coding`: of compressed messages, as grpc-encoding says it. `pending`: of the owner, empty.
  GrpcExchange(std::unique_ptr<GrpcTalk> talk, std::string coding, std::size_t message_bytes_max,
               Holding pending);

  /// What has come of the client. Nothing once it is over.
  void take(std::string_view bytes);
  /// The client has said all.
  void end_input() { is_ended_ = true; }
  /// Ends it for another reason than the client's or the talk's; the first reason stays.
  void end(Error fault);
  /// Nothing more is taken.
  bool is_over() const { return fault_.has_value(); }
  /// The next piece of the answer's body, as a BodySource gives it: an answer with its frame, or
  /// "" at the end, also where that is a fault.
  std::optional<std::string> next();
  /// How it ended, into the trailers.
  void write_status(Response& response) const;

  static constexpr std::size_t kPendingBytes = 16U << 10U;

 private:
  /// The next whole message, taken out of what is pending and unpacked; nothing where none is.
  Result<std::optional<std::string>> next_message();

  std::unique_ptr<GrpcTalk> talk_;
  const std::string coding_;
  const std::size_t message_bytes_max_;
  std::string pending_;
  Holding held_;
  std::optional<Error> fault_;
  bool is_ended_ = false;
};

}  // namespace vigia::net::internal
