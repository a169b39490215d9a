// nghttp2 as the server uses it: made with our options and settings, freed by itself.
#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include <nghttp2/nghttp2.h>

#include "libs/base/fault.hpp"
#include "libs/net/message.hpp"
#include "libs/net/server.hpp"

namespace vigia::net::internal {

struct Http2MachineDeleter {
  void operator()(nghttp2_session* session) const { nghttp2_session_del(session); }
};
struct Http2CallbacksDeleter {
  void operator()(nghttp2_session_callbacks* callbacks) const {
    nghttp2_session_callbacks_del(callbacks);
  }
};
using Http2Machine = std::unique_ptr<nghttp2_session, Http2MachineDeleter>;
using Http2Callbacks = std::unique_ptr<nghttp2_session_callbacks, Http2CallbacksDeleter>;

/// Bounds of its own against floods set, and our SETTINGS and the connection's window submitted.
/// `self` comes back in each callback.
Http2Machine make_http2_machine(const nghttp2_session_callbacks* callbacks, void* self,
                                const ServerSettings& settings);

/// A callback of nghttp2's. What it throws must not pass through C code: it is noted, and ends the
/// session.
template <auto callback>
struct Contained;
template <typename Answer, typename... Arguments, Answer (*callback)(Arguments...)>
struct Contained<callback> {
  static Answer call(Arguments... arguments) {
    Answer answer = NGHTTP2_ERR_CALLBACK_FAILURE;
    contain_faults("an HTTP/2 frame", [&] { answer = callback(arguments...); });
    return answer;
  }
};

inline std::string_view view(const std::uint8_t* bytes, std::size_t size) {
  return {reinterpret_cast<const char*>(bytes), size};
}

/// As nghttp2 takes them; they point into `headers`.
std::vector<nghttp2_nv> pairs_of(const std::vector<Header>& headers);

}  // namespace vigia::net::internal
