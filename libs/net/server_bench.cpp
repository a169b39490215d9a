// Unary gRPC calls of 150 KB a processor-second: the receive path of the collector without its
// handler. The client writes prepared frames on blocking sockets, so that what is measured is the
// server's threads alone (process time minus the client threads' own).
#include <ctime>

#include <benchmark/benchmark.h>

#include "libs/net/server.hpp"
#include "libs/net/testing/scripted_peer.hpp"
#include "libs/net/testing/server_fixture.hpp"

namespace vigia::net {
namespace {

using internal::http2_frame;
using internal::RawClient;

constexpr std::size_t kBodyBytes = 150'000;
constexpr std::size_t kCallsPerWrite = 64;

class SwallowingHandler final : public Handler {
 public:
  void handle(Request request, Responder responder) override {
    benchmark::DoNotOptimize(request.body.data());
    responder.send(Response{});
  }
};

double thread_seconds() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

double process_seconds() {
  timespec now{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

/// One call, in DATA frames of `frame_bytes`.
std::string call_frames(std::uint32_t stream, std::size_t frame_bytes) {
  std::string bytes = http2_frame(1, 4, stream,
                                  internal::hpack_literals({{":method", "POST"},
                                                            {":scheme", "http"},
                                                            {":path", "/p.S/Export"},
                                                            {":authority", "x"},
                                                            {"content-type", "application/grpc"},
                                                            {"te", "trailers"}}));
  std::string body(5, '\0');
  for (std::size_t i = 0; i < 4; ++i) body[4 - i] = static_cast<char>(kBodyBytes >> (8 * i) & 255U);
  body += std::string(kBodyBytes, 'x');
  for (std::size_t from = 0; from < body.size(); from += frame_bytes) {
    const std::string part = body.substr(from, frame_bytes);
    bytes += http2_frame(0, from + part.size() == body.size() ? 1 : 0, stream, part);
  }
  return bytes;
}

void receive_calls(benchmark::State& state) {
  SwallowingHandler handler;
  ServerSettings settings = internal::small_settings();
  settings.loops = 1;
  auto server = Server::start(settings, handler);
  RawClient client((*server)->port());
  client.send("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + http2_frame(4, 0, 0, ""));
  // Larger frames and windows count from the acknowledgement of the server's settings on.
  client.read_some();
  client.send(http2_frame(4, 1, 0, ""));
  const auto frame_bytes = static_cast<std::size_t>(state.range(0));
  std::uint32_t stream = 1;
  std::uint64_t calls = 0;
  double server_seconds = 0;
  for (auto _ : state) {
    state.PauseTiming();
    std::string bytes;
    for (std::size_t i = 0; i < kCallsPerWrite; ++i, stream += 2) {
      bytes += call_frames(stream, frame_bytes);
    }
    state.ResumeTiming();
    const double own = thread_seconds();
    const double all = process_seconds();
    // The window of the connection is 16 MiB: more is never on its way at once.
    client.send(bytes);
    calls += kCallsPerWrite;
    while ((*server)->stats().requests < calls || (*server)->stats().buffered_bytes > 0) {
      client.read_some();
    }
    server_seconds += process_seconds() - all - (thread_seconds() - own);
  }
  const auto bytes = static_cast<double>(calls * kBodyBytes);
  state.counters["bytes_per_cpu_second"] = bytes / server_seconds;
  state.counters["calls_per_cpu_second"] = static_cast<double>(calls) / server_seconds;
}

BENCHMARK(receive_calls)->Arg(16384)->Arg(1 << 20)->Unit(benchmark::kMillisecond)->UseRealTime();

}  // namespace
}  // namespace vigia::net
