// vigia-bench-sink: a destination that takes all remote write, 2.0 or with the argument "1"
// only 1.0, counts the samples and keeps none. POST is answered 204; GET tells "requests bytes
// samples" so far. Prints its port; ends when its standard input does.
#include <atomic>

#include <fmt/format.h>
#include <unistd.h>

#include "libs/net/server.hpp"
#include "libs/service/heap.hpp"
#include "libs/wire/remote_write/request_encoder_2.hpp"
#include "libs/wire/remote_write/write_request_2.hpp"

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
  explicit Sink(bool only_1) : only_1_(only_1) {}
  /// As remote write's receivers do.
  bool reads_coding(const net::RequestHead& /*head*/, std::string_view coding) const override {
    return coding == "snappy";
  }
  void handle(net::Request request, net::Responder responder) override {
    net::Response response;
    if (request.method == "GET") {
      response.status = 200;
      response.body = fmt::format("{} {} {}\n", requests_.load(), bytes_.load(), samples_.load());
    } else if (is_2(request) && only_1_) {
      response.status = 415;
    } else {
      Counting counting;
      const auto read = is_2(request)
                            ? wire::remote_write::decode_request_2(request.body, {}, {}, counting)
                            : wire::remote_write::decode_request(request.body, {}, counting);
      response.status = read ? 204 : 400;
      response.headers.add(wire::remote_write::kSamplesWritten, fmt::to_string(counting.samples));
      ++requests_;
      bytes_ += request.body.size();
      samples_ += counting.samples;
    }
    responder.send(std::move(response));
  }

 private:
  static bool is_2(const net::Request& request) {
    return request.headers.get(wire::remote_write::kVersionHeader) == wire::remote_write::kVersion2;
  }

  const bool only_1_;
  std::atomic<std::uint64_t> requests_{0};
  std::atomic<std::uint64_t> bytes_{0};
  std::atomic<std::uint64_t> samples_{0};
};

int run(bool only_1) {
  service::keep_freed_pages(0);
  Sink sink(only_1);
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

int main(int count, char** words) {
  return vigia::bench::run(count > 1 && std::string_view(words[1]) == "1");
}
