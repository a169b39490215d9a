// Any bytes to both protocols: the first byte of the input says how the rest is cut into reads.
#include <string_view>

#include "libs/net/internal/http1_session.hpp"
#include "libs/net/internal/http2_session.hpp"
#include "libs/net/testing/bare_host.hpp"

namespace vigia::net::internal {
namespace {

void run_both(std::string_view bytes, std::size_t piece) {
  EchoingHandler handler;
  ServerSettings settings;
  settings.body_bytes_max = 64U << 10U;
  settings.header_bytes_max = 4096;
  settings.streams_max = 8;
  ServerCore core(settings, handler);
  {
    BareHost host(core);
    const auto session = make_http1_session(host);
    run(host, *session, bytes, piece);
  }
  BareHost host(core);
  const auto session = make_http2_session(host);
  session->receive(kHttp2Preface);
  run(host, *session, bytes, piece);
}

}  // namespace
}  // namespace vigia::net::internal

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 1) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data + 1), size - 1);
  vigia::net::internal::run_both(bytes, data[0] == 0 ? size : data[0]);
  return 0;
}
