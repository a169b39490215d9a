// vigia-bench-sink: a destination that takes all remote write, counts the samples and keeps none.
// POST is answered 204; GET tells "requests bytes samples" so far. Prints its port; ends when its
// standard input does.
#include <atomic>

#include <fmt/format.h>
#include <unistd.h>

#include "libs/net/server.hpp"
#include "libs/service/heap.hpp"
#include "libs/wire/remote_write/write_request.hpp"

namespace vigia::bench {
namespace {

class Counting final : public wire::remote_write::WriteVisitor {
 public:
  void on_series(const wire::remote_write::SeriesView& series) override {
    samples += series.samples.size() + series.histograms.size();
  }
  std::uint64_t samples = 0;
};

class Sink final : public net::Handler {
 public:
  /// As remote write's receivers do.
  bool reads_coding(const net::RequestHead& /*head*/, std::string_view coding) const override {
    return coding == "snappy";
  }
  void handle(net::Request request, net::Responder responder) override {
    net::Response response;
    if (request.method == "GET") {
      response.status = 200;
      response.body = fmt::format("{} {} {}\n", requests_.load(), bytes_.load(), samples_.load());
    } else {
      Counting counting;
      const auto read = wire::remote_write::decode_request(request.body, {}, counting);
      response.status = read ? 204 : 400;
      ++requests_;
      bytes_ += request.body.size();
      samples_ += counting.samples;
    }
    responder.send(std::move(response));
  }

 private:
  std::atomic<std::uint64_t> requests_{0};
  std::atomic<std::uint64_t> bytes_{0};
  std::atomic<std::uint64_t> samples_{0};
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
