// vigia-bench-sink: a destination that takes all remote write, 2.0 or with the argument "1"
// only 1.0, counts the samples and keeps none. POST is answered 204, with "after-ms=N" so much
// later, as from far away; GET tells "requests bytes samples" so far. Prints its port; ends when
// its standard input does.
#include <atomic>
#include <charconv>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <span>
#include <string_view>
#include <thread>
#include <utility>

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

/// Answers each request some time after it came, however many others wait.
class Delay {
 public:
  explicit Delay(std::chrono::milliseconds after) : after_(after) {}
  void send(net::Responder responder, net::Response response) {
    if (after_.count() == 0) return responder.send(std::move(response));
    {
      const std::lock_guard lock(mutex_);
      waiting_.push_back({Time::now() + after_, std::move(responder), std::move(response)});
    }
    arrived_.notify_one();
  }

 private:
  using Time = std::chrono::steady_clock;
  struct Waiting {
    Time::time_point due;
    net::Responder responder;
    net::Response response;
  };
  void run(const std::stop_token& stop) {
    std::unique_lock lock(mutex_);
    while (arrived_.wait(lock, stop, [this] { return !waiting_.empty(); })) {
      Waiting first = std::move(waiting_.front());
      waiting_.pop_front();
      lock.unlock();
      std::this_thread::sleep_until(first.due);
      first.responder.send(std::move(first.response));
      lock.lock();
    }
  }

  const std::chrono::milliseconds after_;
  std::mutex mutex_;
  std::condition_variable_any arrived_;
  std::deque<Waiting> waiting_;
  std::jthread thread_{[this](const std::stop_token& stop) { run(stop); }};
};

struct Options {
  bool only_1 = false;
  int after_ms = 0;
};

class Sink final : public net::Handler {
 public:
  explicit Sink(Options options)
      : only_1_(options.only_1), delay_(std::chrono::milliseconds(options.after_ms)) {}
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
      return delay_.send(std::move(responder), std::move(response));
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
  Delay delay_;
};

int run(Options options) {
  service::keep_freed_pages(0);
  Sink sink(options);
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
  vigia::bench::Options options;
  for (const std::string_view word : std::span(words, static_cast<std::size_t>(count)).subspan(1)) {
    constexpr std::string_view kAfter = "after-ms=";
    if (word == "1")
      options.only_1 = true;
    else if (word.starts_with(kAfter))
      std::from_chars(word.data() + kAfter.size(), word.data() + word.size(), options.after_ms);
  }
  return vigia::bench::run(options);
}
