// vigia-bench-otlp-sink: a destination that takes all OTLP over HTTP or gRPC, counts the items and
// keeps none. GET tells "requests bytes items" so far. Prints its port; ends when its standard
// input does.
#include <atomic>

#include <fmt/format.h>
#include <unistd.h>

#include "libs/net/server.hpp"
#include "libs/net/status.hpp"
#include "libs/otlp/door.hpp"
#include "libs/otlp/paths.hpp"
#include "libs/service/heap.hpp"
#include "libs/wire/otlp/walker.hpp"

namespace vigia::bench {
namespace {

class Sink final : public net::Handler {
 public:
  void handle(net::Request request, net::Responder responder) override {
    if (request.method == "GET") {
      net::Response response;
      response.status = 200;
      response.body = fmt::format("{} {} {}\n", requests_.load(), bytes_.load(), items_.load());
      return responder.send(std::move(response));
    }
    const auto signal = otlp::signal_of_path(request);
    const Result<std::uint32_t> items =
        signal ? wire::otlp::count_items(*signal, request.body)
               : Result<std::uint32_t>(fail(ErrorCode::kNotFound, "no path of OTLP's"));
    if (!items) return responder.send(net::otlp_error(request, items.error()));
    ++requests_;
    bytes_ += request.body.size();
    items_ += *items;
    responder.send(otlp::accepted(*signal, otlp::BodyForm::kProtobuf));
  }

 private:
  std::atomic<std::uint64_t> requests_{0};
  std::atomic<std::uint64_t> bytes_{0};
  std::atomic<std::uint64_t> items_{0};
};

int run() {
  service::keep_freed_pages(0);
  Sink sink;
  net::ServerSettings settings;
  settings.name = "sink";
  settings.listen = "127.0.0.1:0";
  settings.loops = 1;
  const auto server = net::Server::start(settings, sink);
  if (!server) {
    fmt::print(stderr, "{}\n", server.error().message);
    return 1;
  }
  fmt::print("{}\n", (*server)->port());
  std::fflush(stdout);
  char byte = 0;
  while (::read(STDIN_FILENO, &byte, 1) > 0) continue;
  return 0;
}

}  // namespace
}  // namespace vigia::bench

int main() { return vigia::bench::run(); }
