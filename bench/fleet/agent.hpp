// One node of the fleet: its connection to the collector, and the request that is under way on it.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>

#include <nghttp2/nghttp2.h>

namespace vigia::bench {

using SteadyTime = std::chrono::steady_clock::time_point;

/// Where the fleet sends to, and from which address one agent does.
struct AgentAddress {
  std::string host;
  std::uint16_t port = 4317;
  std::string source;  ///< "127.1.0.7": a customer's own
  std::string token;
};

/// How a request ended.
enum class Outcome : std::uint8_t {
  kAccepted,
  kPartly,   ///< accepted, but for items that are told
  kRefused,  ///< to be sent again: UNAVAILABLE, RESOURCE_EXHAUSTED
  kFailed,   ///< for good
  kBroken,   ///< the connection ended before an answer
};

/// Thread contract: one thread, none of its calls waits.
class Agent {
 public:
  using Ended = std::function<void(Outcome)>;

  explicit Agent(AgentAddress address) : address_(std::move(address)) {}
  ~Agent() { close(); }
  Agent(const Agent&) = delete;
  Agent& operator=(const Agent&) = delete;

  /// Begins a connection; its socket, or -1. Ready to send at once: what is sent waits for it.
  int connect();
  void close();
  bool is_open() const { return socket_ >= 0; }
  bool is_sending() const { return is_sending_; }
  int socket() const { return socket_; }

  /// Sends a framed message, which is kept until its end: not while one is under way.
  void send(std::string message, Ended ended);
  /// The same message once more.
  void send_again(Ended ended);
  /// What is on the socket is read, what waits is written. False where the connection is over;
  /// a request that was under way has ended as broken by then.
  bool on_ready();
  /// There is more to write than the socket took.
  bool wants_to_write() const { return wants_to_write_; }

 private:
  void open_session();
  void submit();
  bool read_all();
  bool write_all();
  void end(Outcome outcome);

  static ssize_t read_body(nghttp2_session* session, std::int32_t stream, std::uint8_t* room,
                           std::size_t size, std::uint32_t* flags, nghttp2_data_source* source,
                           void* user);
  static int on_header(nghttp2_session* session, const nghttp2_frame* frame,
                       const std::uint8_t* name, std::size_t name_size, const std::uint8_t* value,
                       std::size_t value_size, std::uint8_t flags, void* user);
  static int on_data(nghttp2_session* session, std::uint8_t flags, std::int32_t stream,
                     const std::uint8_t* bytes, std::size_t size, void* user);
  static int on_close(nghttp2_session* session, std::int32_t stream, std::uint32_t error,
                      void* user);

  AgentAddress address_;
  int socket_ = -1;
  nghttp2_session* session_ = nullptr;
  std::string message_;
  std::size_t sent_ = 0;
  Ended ended_;
  std::string status_;         // grpc-status
  std::size_t got_bytes_ = 0;  // of the answer's body
  bool is_sending_ = false;
  bool wants_to_write_ = false;
  std::string unwritten_;
};

}  // namespace vigia::bench
