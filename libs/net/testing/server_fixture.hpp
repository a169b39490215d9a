// For the tests of this folder: a server with a handler that a test can steer, and a raw client.
#pragma once

#include <atomic>
#include <csignal>
#include <functional>
#include <mutex>
#include <string>
#include <thread>

#include "libs/net/internal/socket.hpp"
#include "libs/net/server.hpp"

namespace vigia::net::internal {

/// As our programs do (libs/service/program.cpp): a peer that is gone is an error, not our end.
inline const auto kPipeIgnored = std::signal(SIGPIPE, SIG_IGN);

/// A function that a test sets while the server's threads call it.
template <typename Signature>
class Settable {
 public:
  template <typename Function>
  Settable& operator=(Function function) {
    const std::lock_guard lock(mutex_);
    function_ = std::move(function);
    return *this;
  }
  std::function<Signature> get() const {
    const std::lock_guard lock(mutex_);
    return function_;
  }

 private:
  mutable std::mutex mutex_;
  std::function<Signature> function_;
};

/// Answers with method, path, query, transport and body size, unless the test gives a function.
class EchoHandler final : public Handler {
 public:
  std::optional<Response> admit(RequestHead& head) override;
  void handle(Request request, Responder responder) override;

  Settable<std::optional<Response>(RequestHead&)> on_admit;
  Settable<void(Request, Responder)> on_handle;
  std::unique_ptr<GrpcTalk> open_talk(const RequestHead& head) override;
  Settable<std::unique_ptr<GrpcTalk>(const RequestHead&)> on_open_talk;
  std::size_t body_bytes_max(const RequestHead& head) const override;
  bool reads_coding(const RequestHead& head, std::string_view coding) const override;
  std::atomic<int> handled{0};
};

/// Settings of a small server on a free port.
ServerSettings small_settings();

/// A blocking socket to a local port that speaks no protocol. Reads throw after ten
/// seconds, which fails the test.
class RawClient {
 public:
  /// `from`: an address of the loopback network, so that there are several peers.
  explicit RawClient(std::uint16_t port, std::size_t receive_buffer = 0,
                     const std::string& from = "127.0.0.1");
  void send(std::string_view bytes);
  /// False where the server has closed.
  bool try_send(std::string_view bytes);
  void end_output();
  /// Until `end` has been seen, or the server closes.
  std::string read_until(std::string_view end);
  std::string read_some(std::size_t bytes_max = 65536);
  std::string read_all();
  int fd() const { return socket_.get(); }

 private:
  Fd socket_;
};

/// A new certificate for 127.0.0.1, signed by itself.
TlsServerSettings make_certificate();
/// One of its own, of no server's name, for a client; nobody else has signed it.
TlsServerSettings make_client_certificate(const std::string& name);

/// Runs a program with a shell and gives what it wrote to both outputs.
std::string run(const std::string& command);

/// Waits until `condition` holds, at most ten seconds.
bool eventually(const std::function<bool()>& condition);

}  // namespace vigia::net::internal
