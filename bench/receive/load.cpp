// vigia-bench-load: sends prepared OTLP/gRPC requests, as fast as they are answered or at a rate,
// and tells how many items the receiver took for each second of its processor time. Works against
// any OTLP receiver.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstring>
#include <fstream>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <nghttp2/nghttp2.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench/receive/payload.hpp"
#include "libs/base/check.hpp"
#include "libs/net/compression.hpp"
#include "libs/otlp/paths.hpp"

namespace vigia::bench {
namespace {

struct Settings {
  std::string host = "127.0.0.1";
  std::uint16_t port = 4317;
  std::string token = "load";
  std::string customer = "load";
  std::string compression;
  Signal signal = Signal::kMetrics;
  std::size_t items = 1000;
  std::size_t payloads = 16;
  std::size_t connections = 2;
  std::size_t in_flight = 8;  ///< all connections together
  double rate = 0;            ///< items per second, all connections together; 0: no bound
  int warm_up_s = 3;
  int seconds = 10;
  int pid = 0;  ///< the receiver
};

/// A gRPC message, framed, with its compression flag.
std::string framed(const Settings& settings, std::size_t number) {
  std::string body = make_payload(settings.signal, settings.items, number, settings.customer);
  if (!settings.compression.empty()) body = *net::compress(settings.compression, body);
  std::string out;
  out += settings.compression.empty() ? '\0' : '\1';
  const std::uint32_t size = htonl(static_cast<std::uint32_t>(body.size()));
  out.append(reinterpret_cast<const char*>(&size), sizeof size);
  return out + body;
}

/// One HTTP/2 connection with its share of the requests in flight, on a thread of its own.
class Connection {
 public:
  Connection(const Settings& settings, const std::vector<std::string>& messages, std::size_t first,
             std::atomic<std::uint64_t>& answered, std::atomic<std::uint64_t>& failed)
      : settings_(settings),
        messages_(messages),
        next_(first),
        answered_(answered),
        failed_(failed) {
    socket_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(settings.port);
    CHECK(::inet_pton(AF_INET, settings.host.c_str(), &address.sin_addr) == 1);
    if (::connect(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
      fmt::print(stderr, "cannot connect to {}:{}\n", settings.host, settings.port);
      std::exit(1);
    }
    const int on = 1;
    ::setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    open_session();
  }
  ~Connection() {
    nghttp2_session_del(session_);
    ::close(socket_);
  }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  void run(std::size_t in_flight, const std::atomic<bool>& is_over) {
    idle_ = in_flight;
    due_ = std::chrono::steady_clock::now();
    std::vector<unsigned char> room(256U << 10U);
    while (!is_over) {
      submit_due();
      flush();
      pollfd waiting{socket_, POLLIN, 0};
      if (::poll(&waiting, 1, is_paced() && idle_ > 0 ? 1 : -1) == 0) continue;
      const ssize_t got = ::recv(socket_, room.data(), room.size(), 0);
      if (got <= 0) return;
      CHECK(nghttp2_session_mem_recv(session_, room.data(), static_cast<std::size_t>(got)) == got);
    }
  }

 private:
  struct Sending {
    const std::string* message = nullptr;
    std::size_t sent = 0;
    bool is_good = false;
  };

  void open_session() {
    nghttp2_session_callbacks* callbacks = nullptr;
    nghttp2_session_callbacks_new(&callbacks);
    nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_close);
    nghttp2_session_client_new(&session_, callbacks, this);
    nghttp2_session_callbacks_del(callbacks);
    nghttp2_submit_settings(session_, NGHTTP2_FLAG_NONE, nullptr, 0);
    nghttp2_session_set_local_window_size(session_, NGHTTP2_FLAG_NONE, 0, 16 << 20);
  }

  bool is_paced() const { return settings_.rate > 0; }

  /// As many requests as may be in flight and the rate allows by now; time lost is caught up.
  void submit_due() {
    const auto interval = std::chrono::nanoseconds(
        is_paced() ? static_cast<std::int64_t>(
                         1e9 * static_cast<double>(settings_.items * settings_.connections) /
                         settings_.rate)
                   : 0);
    const auto now = std::chrono::steady_clock::now();
    while (idle_ > 0 && due_ <= now) {
      submit();
      --idle_;
      due_ += interval;
    }
  }

  void submit() {
    const std::string authority = fmt::format("{}:{}", settings_.host, settings_.port);
    const std::string token = "Bearer " + settings_.token;
    const std::string path = std::string(otlp::grpc_path(settings_.signal));
    std::vector<std::pair<std::string, std::string>> headers{
        {":method", "POST"},       {":scheme", "http"}, {":path", path},
        {":authority", authority}, {"te", "trailers"},  {"content-type", "application/grpc"},
        {"authorization", token}};
    if (!settings_.compression.empty())
      headers.emplace_back("grpc-encoding", settings_.compression);
    std::vector<nghttp2_nv> fields;
    for (auto& [name, value] : headers) {
      fields.push_back({reinterpret_cast<std::uint8_t*>(name.data()),
                        reinterpret_cast<std::uint8_t*>(value.data()), name.size(), value.size(),
                        NGHTTP2_NV_FLAG_NONE});
    }
    nghttp2_data_provider body{};
    body.read_callback = read_body;
    const std::int32_t stream =
        nghttp2_submit_request(session_, nullptr, fields.data(), fields.size(), &body, nullptr);
    CHECK(stream > 0);
    sending_[stream] = {&messages_[next_++ % messages_.size()], 0, false};
  }

  void flush() {
    const std::uint8_t* bytes = nullptr;
    for (;;) {
      ssize_t size = nghttp2_session_mem_send(session_, &bytes);
      if (size <= 0) return;
      while (size > 0) {
        const ssize_t sent = ::send(socket_, bytes, static_cast<std::size_t>(size), MSG_NOSIGNAL);
        if (sent <= 0) return;
        bytes += sent;
        size -= sent;
      }
    }
  }

  static ssize_t read_body(nghttp2_session*, std::int32_t stream, std::uint8_t* room,
                           std::size_t size, std::uint32_t* flags, nghttp2_data_source*,
                           void* user) {
    Sending& sending = static_cast<Connection*>(user)->sending_.at(stream);
    const std::size_t count = std::min(size, sending.message->size() - sending.sent);
    std::memcpy(room, sending.message->data() + sending.sent, count);
    sending.sent += count;
    if (sending.sent == sending.message->size()) *flags |= NGHTTP2_DATA_FLAG_EOF;
    return static_cast<ssize_t>(count);
  }

  static int on_header(nghttp2_session*, const nghttp2_frame* frame, const std::uint8_t* name,
                       std::size_t name_size, const std::uint8_t* value, std::size_t value_size,
                       std::uint8_t, void* user) {
    const std::string_view key(reinterpret_cast<const char*>(name), name_size);
    if (key == "grpc-status") {
      auto& sending = static_cast<Connection*>(user)->sending_.at(frame->hd.stream_id);
      sending.is_good = std::string_view(reinterpret_cast<const char*>(value), value_size) == "0";
    }
    return 0;
  }

  static int on_close(nghttp2_session*, std::int32_t stream, std::uint32_t, void* user) {
    auto* self = static_cast<Connection*>(user);
    const auto sending = self->sending_.find(stream);
    if (sending == self->sending_.end()) return 0;
    ++(sending->second.is_good ? self->answered_ : self->failed_);
    self->sending_.erase(sending);
    ++self->idle_;
    return 0;
  }

  const Settings& settings_;
  const std::vector<std::string>& messages_;
  std::size_t next_;
  std::atomic<std::uint64_t>& answered_;
  std::atomic<std::uint64_t>& failed_;
  int socket_ = -1;
  std::size_t idle_ = 0;  ///< requests that may be in flight and are not
  std::chrono::steady_clock::time_point due_{};
  nghttp2_session* session_ = nullptr;
  std::map<std::int32_t, Sending> sending_;
};

/// Processor seconds of a process so far, to 1 / sysconf(_SC_CLK_TCK).
double cpu_seconds(int pid) {
  std::ifstream file(fmt::format("/proc/{}/stat", pid));
  std::string text;
  std::getline(file, text);
  const std::string_view after = std::string_view(text).substr(text.rfind(')') + 2);
  std::uint64_t user = 0;
  std::uint64_t system = 0;
  CHECK(std::sscanf(after.data(), "%*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user,
                    &system) == 2);
  return static_cast<double>(user + system) / static_cast<double>(::sysconf(_SC_CLK_TCK));
}

double resident_mib(int pid) {
  std::ifstream file(fmt::format("/proc/{}/statm", pid));
  double total = 0;
  double resident = 0;
  file >> total >> resident;
  return resident * static_cast<double>(::sysconf(_SC_PAGESIZE)) / (1024 * 1024);
}

void measure(const Settings& settings) {
  std::vector<std::string> messages;
  for (std::size_t i = 0; i < settings.payloads; ++i) messages.push_back(framed(settings, i));
  std::atomic<std::uint64_t> answered{0};
  std::atomic<std::uint64_t> failed{0};
  std::atomic<bool> is_over{false};
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < settings.connections; ++i) {
    threads.emplace_back([&, i] {
      Connection(settings, messages, i, answered, failed)
          .run(settings.in_flight / settings.connections, is_over);
    });
  }
  std::this_thread::sleep_for(std::chrono::seconds(settings.warm_up_s));
  // A receiver that still meets new series is measured at that. Each connection goes through all
  // payloads in its turn.
  const std::size_t all_known = settings.warm_up_s > 0 ? settings.connections * messages.size() : 0;
  while (answered + failed < all_known) std::this_thread::sleep_for(std::chrono::milliseconds(10));
  const auto begin = std::chrono::steady_clock::now();
  const double cpu_before = cpu_seconds(settings.pid);
  const std::uint64_t answered_before = answered;
  double resident = 0;
  for (int i = 0; i < settings.seconds * 5; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
    resident = std::max(resident, resident_mib(settings.pid));
  }
  const double wall =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  const auto items = static_cast<double>((answered - answered_before) * settings.items);
  const double cpu = cpu_seconds(settings.pid) - cpu_before;
  fmt::print(
      "{} {} items/request={} bytes/item={:.0f} items/s={:.0f} cpu={:.2f} "
      "items/cpu-s={:.0f} rss={:.0f}MiB failed={}\n",
      to_string(settings.signal), settings.compression.empty() ? "plain" : settings.compression,
      settings.items, static_cast<double>(messages[0].size()) / static_cast<double>(settings.items),
      items / wall, cpu, items / cpu, resident, failed.load());
  std::fflush(stdout);
  std::_Exit(failed == 0 ? 0 : 1);  // the connections' threads wait in recv
}

Settings read_arguments(int count, char** arguments) {
  Settings settings;
  std::map<std::string, std::string> given;
  for (int i = 1; i + 1 < count; i += 2) given[arguments[i]] = arguments[i + 1];
  const auto text = [&given](const char* name, std::string fallback) {
    const auto found = given.find(name);
    return found == given.end() ? fallback : found->second;
  };
  const auto number = [&text](const char* name, std::size_t fallback) {
    return static_cast<std::size_t>(std::stoul(text(name, std::to_string(fallback))));
  };
  settings.host = text("--host", settings.host);
  settings.port = static_cast<std::uint16_t>(number("--port", settings.port));
  settings.token = text("--token", settings.token);
  settings.customer = text("--customer", settings.customer);
  settings.compression = text("--compression", "");
  if (settings.compression == "plain") settings.compression.clear();
  const std::string signal = text("--signal", "metrics");
  settings.signal = signal == "traces" ? Signal::kTraces
                    : signal == "logs" ? Signal::kLogs
                                       : Signal::kMetrics;
  settings.items = number("--items", settings.items);
  settings.payloads = number("--payloads", settings.payloads);
  settings.connections = number("--connections", settings.connections);
  settings.in_flight = number("--in-flight", settings.in_flight);
  settings.rate = std::stod(text("--rate", "0"));
  settings.warm_up_s = static_cast<int>(number("--warm-up", 3));
  settings.seconds = static_cast<int>(number("--seconds", 10));
  settings.pid = static_cast<int>(number("--pid", 0));
  CHECK(settings.pid > 0);
  return settings;
}

}  // namespace
}  // namespace vigia::bench

int main(int count, char** arguments) {
  vigia::bench::measure(vigia::bench::read_arguments(count, arguments));
}
