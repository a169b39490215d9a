#include "libs/net/internal/http2_floods.hpp"

namespace vigia::net::internal {
namespace {

// What a fault of the client's costs that makes the server reset a stream (CVE-2025-8671).
constexpr double kFaultTokens = 20;
constexpr double kRequestTokens = 8;
constexpr double kSentTokensPerByte = 4.0 / 16384;
// DATA that no request takes: on streams that are gone or answered. 40 MiB at once, ten windows of
// a stream whose client has not heard yet that it is refused; then 2 MiB/s.
constexpr double kDiscardedTokensPerByte = 1.0 / 4096;
constexpr std::size_t kFrameHeadBytes = 9;
// A preface and a head that is not whole.
constexpr std::uint64_t kUnseenBytesMax = 64;
// Bodies that are taken back before their end: 160 MiB at once, then 8 MiB/s.
constexpr double kTakenBackTokensPerByte = 1.0 / 16384;

}  // namespace

bool Http2Floods::read(std::size_t bytes, TimePoint now) {
  received_bytes_ += bytes;
  if (received_bytes_ <= seen_bytes_ + kUnseenBytesMax) return true;
  const std::uint64_t unseen = received_bytes_ - seen_bytes_;
  seen_bytes_ = received_bytes_;
  return discarded(unseen, now);
}

void Http2Floods::see_frame(std::size_t payload_bytes) {
  seen_bytes_ += kFrameHeadBytes + payload_bytes;
}

bool Http2Floods::discarded(std::uint64_t bytes, TimePoint now) {
  return budget_.spend(1 + static_cast<double>(bytes) * kDiscardedTokensPerByte, now);
}

bool Http2Floods::fault(TimePoint now) { return budget_.spend(kFaultTokens, now); }

bool Http2Floods::taken_back(std::size_t bytes, TimePoint now) {
  return budget_.spend(static_cast<double>(bytes) * kTakenBackTokensPerByte, now);
}

void Http2Floods::whole_request() { budget_.earn(kRequestTokens); }

void Http2Floods::sent(std::size_t bytes) {
  budget_.earn(static_cast<double>(bytes) * kSentTokensPerByte);
}

}  // namespace vigia::net::internal
