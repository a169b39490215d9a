// The way of one answer back to its client.
#pragma once

#include <memory>

#include "libs/base/task.hpp"
#include "libs/net/message.hpp"

namespace vigia::net {

/// Answers one request, once, from any thread. Dropped without an answer, it sends 500 / INTERNAL.
class Responder {
 public:
  class Target;  // the connection's side, internal to the server
  explicit Responder(std::shared_ptr<Target> target);
  Responder(Responder&&) noexcept;
  Responder& operator=(Responder&&) noexcept;
  ~Responder();
  /// Gives the answer to the client's event loop. A second call is a fault of our own (CHECK).
  /// Where the client has gone the answer is dropped.
  void send(Response response);
  /// Has `told` called, at most once and on the client's event loop, should the client close its
  /// connection or its side of it, or reset its stream, before the answer has come there. For who
  /// would stop working then; the responder still wants its answer. Once, before `send`. `told`
  /// must not block.
  void on_gone(Task<void()> told) const;

 private:
  std::shared_ptr<Target> target_;
};

}  // namespace vigia::net
