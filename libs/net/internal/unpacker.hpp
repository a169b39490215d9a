// Large compressed bodies are unpacked on a thread of their own, since an event loop that unpacks
// tens of megabytes answers none of its other connections meanwhile.
#pragma once

#include <condition_variable>
#include <deque>
#include <mutex>
#include <string>
#include <thread>

#include "libs/net/server.hpp"

namespace vigia::net::internal {

struct ServerCore;

/// A request whose body is still compressed.
struct PackedRequest {
  Request request;
  std::string encoding;
  std::size_t counted = 0;  ///< of the server's buffered_bytes, given back once it is unpacked
  Responder responder;
};

/// What an event loop unpacks itself, after decompression: some milliseconds' work.
inline constexpr std::size_t kUnpackedOnLoopMax = 4U << 20U;

/// The server's answer to a body that cannot be unpacked; 415 for an unknown encoding.
Response refuse_packed(ServerCore& core, const RequestHead& head, const Error& error,
                       std::string_view encoding);

/// One thread for all loops of a server, so that one large body at a time takes memory; begun with
/// the first of them. `post` from any loop; `stop` and the destructor from the server's owner,
/// when the loops have ended.
class Unpacker {
 public:
  explicit Unpacker(ServerCore& core) : core_(core) {}
  ~Unpacker() { stop(); }
  Unpacker(const Unpacker&) = delete;
  Unpacker& operator=(const Unpacker&) = delete;

  /// False where kWaitingMax wait already; `packed` is left as it was.
  bool post(PackedRequest& packed);
  /// What still waits is dropped, and so answered as every dropped request is.
  void stop();

  static constexpr std::size_t kWaitingMax = 256;

 private:
  void run();
  void unpack(PackedRequest packed);

  ServerCore& core_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<PackedRequest> waiting_;  // guarded by mutex_
  bool is_stopping_ = false;           // guarded by mutex_
  std::thread thread_;                 // begun under mutex_
};

}  // namespace vigia::net::internal
