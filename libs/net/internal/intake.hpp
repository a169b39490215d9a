// One request on its way in: admission, limits, gRPC framing, decompression.
#pragma once

#include <array>
#include <optional>

#include "libs/net/internal/core.hpp"

namespace vigia::net::internal {

/// Why a body that is not whole is given up.
Error too_slow(bool is_late);

/// Each step gives nothing to go on, or the answer that ends the request; after an answer no
/// further step is taken. On one loop.
class RequestAssembly {
 public:
  /// `head_bytes`: the connection's, empty.
  RequestAssembly(ServerCore& core, RequestHead head, Holding head_bytes, TimePoint now);
  RequestAssembly(const RequestAssembly&) = delete;
  RequestAssembly& operator=(const RequestAssembly&) = delete;

  /// Asks the handler. `content_length` is what the client says the body will have, if it does.
  std::optional<Response> admit(std::optional<std::uint64_t> content_length);
  std::optional<Response> take(std::string_view bytes);
  /// The body is whole: gives the request to the handler.
  std::optional<Response> finish(SessionHost& host, std::uint64_t id);
  /// The server's own refusal, counted.
  Response refuse(const Error& error);

  const RequestHead& head() const { return head_; }
  /// Whether the body comes below the least pace.
  bool is_too_slow(TimePoint now) const;

 private:
  std::optional<Response> take_prefix(std::string_view& bytes);
  std::optional<Response> append(std::string_view bytes);
  /// The body's compression; "" where there is none, or the handler's own.
  Result<std::string> packing() const;
  std::optional<Response> hand_over(SessionHost& host, std::uint64_t id, std::string encoding);
  void name_owner();
  Request take_request();
  void drop();

  ServerCore& core_;
  RequestHead head_;
  TimePoint begun_;
  Holding head_bytes_;
  Holding body_bytes_;  // in the owner's name; opened with the first of them
  std::size_t body_bytes_max_;
  std::string body_;
  std::size_t wire_bytes_ = 0;
  std::array<char, 5> prefix_{};
  std::size_t prefix_size_ = 0;
  std::uint32_t message_bytes_ = 0;
};

}  // namespace vigia::net::internal
