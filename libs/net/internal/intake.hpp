// One request on its way in: admission, limits, gRPC framing, decompression.
#pragma once

#include <array>
#include <optional>

#include "libs/net/internal/core.hpp"

namespace vigia::net::internal {

/// Each step gives nothing to go on, or the answer that ends the request; after an answer no
/// further step is taken. On one loop.
class Intake {
 public:
  Intake(ServerCore& core, RequestHead head);
  Intake(const Intake&) = delete;
  Intake& operator=(const Intake&) = delete;
  ~Intake();

  /// Asks the handler. `content_length` is what the client says the body will have, if it does.
  std::optional<Response> admit(std::optional<std::uint64_t> content_length);
  std::optional<Response> take(std::string_view bytes);
  /// The body is whole: gives the request to the handler.
  std::optional<Response> finish(SessionHost& host, std::uint64_t id);
  /// The server's own refusal, counted.
  Response refuse(const Error& error);

  const RequestHead& head() const { return head_; }

 private:
  std::optional<Response> take_prefix(std::string_view& bytes);
  std::optional<Response> append(std::string_view bytes);
  /// The body's compression; "" where there is none, or the handler's own.
  Result<std::string> packing() const;
  std::optional<Response> hand_over(SessionHost& host, std::uint64_t id, std::string encoding);
  Request take_request();
  void drop();
  void release();

  ServerCore& core_;
  RequestHead head_;
  Share head_share_;
  std::string body_;
  std::size_t wire_bytes_ = 0;
  std::size_t counted_ = 0;  // of body_ in the server's buffered_bytes
  std::array<char, 5> prefix_{};
  std::size_t prefix_size_ = 0;
  std::uint32_t message_bytes_ = 0;
};

}  // namespace vigia::net::internal
