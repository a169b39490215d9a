// For tests: an HTTP/2 server that answers with exactly the frames it is told to.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "libs/net/internal/socket.hpp"
#include "libs/net/message.hpp"

namespace vigia::net::internal {

/// Serves connections one after another on a thread of its own; for each the script runs at the
/// first request.
class ScriptedPeer {
 public:
  class Call {
   public:
    Call(int socket, std::uint32_t stream) : socket_(socket), stream_(stream) {}
    void headers(const std::vector<Header>& headers, bool is_end);
    void data(const std::string& bytes, bool is_end);
    void reset();
    void goaway();
    void close();

   private:
    int socket_;
    std::uint32_t stream_;
  };

  explicit ScriptedPeer(std::function<void(Call&)> script);
  ScriptedPeer(const ScriptedPeer&) = delete;
  ScriptedPeer& operator=(const ScriptedPeer&) = delete;
  ~ScriptedPeer();
  std::string url() const;

 private:
  void run();
  void serve(int socket);

  std::function<void(Call&)> script_;
  Fd listener_;
  std::atomic<bool> is_closing_{false};
  std::thread thread_;
};

/// An HTTP/2 frame with its nine byte head.
std::string http2_frame(std::uint8_t type, std::uint8_t flags, std::uint32_t stream,
                        std::string_view payload);
/// Headers as HPACK literals that are neither indexed nor compressed.
std::string hpack_literals(const std::vector<Header>& headers);

}  // namespace vigia::net::internal
