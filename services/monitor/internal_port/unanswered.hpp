// A request on its way to whoever answers it.
#pragma once

#include <optional>
#include <utility>

#include "libs/net/responder.hpp"

namespace vigia::monitor::internal_port {

/// Goes with the job that will answer. Let go of on the way, because a queue is full or its pool
/// has ended, it answers 503: whoever asks inside comes again. Thread contract: one thread at a
/// time.
class Unanswered {
 public:
  explicit Unanswered(net::Responder responder) : responder_(std::move(responder)) {}
  Unanswered(Unanswered&& other) noexcept
      : responder_(std::exchange(other.responder_, std::nullopt)) {}
  Unanswered(const Unanswered&) = delete;
  Unanswered& operator=(const Unanswered&) = delete;
  Unanswered& operator=(Unanswered&&) = delete;
  ~Unanswered();

  /// The way back, once; from then on it answers nothing.
  net::Responder take() { return std::move(*std::exchange(responder_, std::nullopt)); }
  /// REQUIRES: not taken yet.
  void send(net::Response response) { take().send(std::move(response)); }

 private:
  std::optional<net::Responder> responder_;
};

}  // namespace vigia::monitor::internal_port
