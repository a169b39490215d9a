#include "libs/net/internal/http2_machine.hpp"

#include <array>

#include "libs/base/check.hpp"

namespace vigia::net::internal {
namespace {

// What a client may send ahead of an acknowledgement: 4 MiB fill a line of 300 Mbit/s at 100 ms.
// Bodies that come in are bounded by the budgets, not by the windows.
constexpr std::uint32_t kStreamWindowBytes = 4U << 20U;
constexpr int kConnectionWindowBytes = 16 << 20;
// Fewer and larger frames are cheaper; clients that can, use it.
constexpr std::uint32_t kFrameBytesMax = 1U << 20U;
// CVE-2023-44487: resets in a burst, then a second.
constexpr std::uint64_t kResetBurst = 1000;
constexpr std::uint64_t kResetsPerSecond = 33;
// CVE-2024-27316.
constexpr std::size_t kContinuationsMax = 8;
constexpr std::size_t kOutboundAcksMax = 1000;
// Past CONTINUATION.
constexpr unsigned kUnknownTypesBegin = 0x0a;
constexpr unsigned kUnknownTypesLast = 0xff;

struct OptionDeleter {
  void operator()(nghttp2_option* option) const { nghttp2_option_del(option); }
};

nghttp2_nv pair_of(const Header& header) {
  const auto bytes = [](const std::string& text) {
    return reinterpret_cast<std::uint8_t*>(const_cast<char*>(text.data()));  // only read
  };
  return {bytes(header.name), bytes(header.value), header.name.size(), header.value.size(),
          NGHTTP2_NV_FLAG_NONE};
}

}  // namespace

Http2Machine make_http2_machine(const nghttp2_session_callbacks* callbacks, void* self,
                                const ServerSettings& settings) {
  nghttp2_option* option = nullptr;
  CHECK(nghttp2_option_new(&option) == 0);
  const std::unique_ptr<nghttp2_option, OptionDeleter> owner(option);
  // Nothing is kept of streams that are gone; the session charges what still comes for them.
  nghttp2_option_set_no_closed_streams(option, 1);
  // The window is given back once the bytes are taken: a stream that is refused gets no
  // more of it, which is how its client learns to stop.
  nghttp2_option_set_no_auto_window_update(option, 1);
  nghttp2_option_set_stream_reset_rate_limit(option, kResetBurst, kResetsPerSecond);
  nghttp2_option_set_max_continuations(option, kContinuationsMax);
  nghttp2_option_set_max_outbound_ack(option, kOutboundAcksMax);
  for (unsigned type = kUnknownTypesBegin; type <= kUnknownTypesLast; ++type) {
    nghttp2_option_set_user_recv_extension_type(option, static_cast<std::uint8_t>(type));
  }
  nghttp2_session* session = nullptr;
  CHECK(nghttp2_session_server_new2(&session, callbacks, self, option) == 0);
  Http2Machine machine(session);
  const std::array<nghttp2_settings_entry, 4> entries = {{
      {NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, static_cast<std::uint32_t>(settings.streams_max)},
      {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, kStreamWindowBytes},
      {NGHTTP2_SETTINGS_MAX_FRAME_SIZE, kFrameBytesMax},
      {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE,
       static_cast<std::uint32_t>(settings.header_bytes_max)},
  }};
  CHECK(nghttp2_submit_settings(session, NGHTTP2_FLAG_NONE, entries.data(), entries.size()) == 0);
  CHECK(nghttp2_session_set_local_window_size(session, NGHTTP2_FLAG_NONE, 0,
                                              kConnectionWindowBytes) == 0);
  return machine;
}

std::vector<nghttp2_nv> pairs_of(const std::vector<Header>& headers) {
  std::vector<nghttp2_nv> pairs;
  pairs.reserve(headers.size());
  for (const Header& header : headers) pairs.push_back(pair_of(header));
  return pairs;
}

}  // namespace vigia::net::internal
