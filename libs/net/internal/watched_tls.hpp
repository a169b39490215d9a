// The files of a server's TLS: read at the start, and again when they change.
#pragma once

#include <array>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>

#include "libs/net/internal/channel.hpp"

namespace vigia::net::internal {

/// What connections that begin now are given. A new set of files counts once it has stayed as it is
/// from one look to the next, since they are replaced one after the other; one that cannot be used
/// is told and leaves what there was. Connections that are open go on with what they began with.
/// Thread contract: current from any thread; the rest from one.
class WatchedTls {
  struct Key {};  // only open makes one

 public:
  /// On a thread of its own, of what was read after the start: when the certificate is over, in
  /// seconds since 1970, or why it cannot be used.
  using Told = std::function<void(const Result<std::int64_t>& expires_s)>;

  /// kInvalid where the files cannot be used.
  static Result<std::unique_ptr<WatchedTls>> open(const TlsServerSettings& settings, Told told);
  WatchedTls(Key /*key*/, const TlsServerSettings& settings, Told told)
      : settings_(settings), told_(std::move(told)) {}
  ~WatchedTls();
  WatchedTls(const WatchedTls&) = delete;
  WatchedTls& operator=(const WatchedTls&) = delete;

  std::shared_ptr<const TlsContext> current() const;

 private:
  /// By which a file is another one, also where a link leads to another: device, inode, size, and
  /// when it was written and changed, in ns. Zeros: it cannot be looked at.
  using FileMark = std::array<std::int64_t, 5>;
  using Marks = std::array<FileMark, 3>;

  static FileMark mark_of(const std::string& file);
  Marks marks() const;
  void run();
  void look();
  void load_again(const Marks& now);

  const TlsServerSettings settings_;
  const Told told_;
  Marks loaded_{};        // of its thread alone, once it runs: what was tried last
  Marks seen_{};          // likewise: at the look before
  int failed_looks_ = 0;  // likewise: since what is there could not be used; 0: it can
  mutable std::mutex mutex_;
  std::condition_variable wake_;
  std::shared_ptr<const TlsContext> current_;
  bool is_stopping_ = false;
  std::thread thread_;
};

}  // namespace vigia::net::internal
