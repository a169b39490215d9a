// Requests that the collector has refused for good, kept as files for people to look at, so that
// nothing waits behind them. Bounded: the oldest files go.
#pragma once

#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>

#include "libs/base/clock.hpp"
#include "libs/base/result.hpp"
#include "libs/model/signal.hpp"

namespace vigia::agent::sender {

/// In `<buffer>/refused/`: `<milliseconds>-<n>-<signal>.otlp`, an OTLP export request in protobuf
/// as it was sent, and beside it `….txt` with the collector's words. Thread contract: any thread.
class RefusedStore {
 public:
  RefusedStore(std::string directory, const Clock& clock);

  /// An error where it could not be written; the caller goes on all the same.
  Result<void> keep(Signal signal, std::string_view body, std::string_view reason);

  static constexpr std::uint64_t kBytesMax = 16U << 20U;
  static constexpr std::size_t kRequestsMax = 200;

 private:
  void make_room(std::uint64_t bytes);

  std::string directory_;
  const Clock& clock_;
  std::mutex mutex_;  // one writer at a time
  std::uint64_t number_ = 0;
};

}  // namespace vigia::agent::sender
