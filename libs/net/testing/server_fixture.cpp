#include "libs/net/testing/server_fixture.hpp"

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <stdexcept>

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/time.h>
#include <unistd.h>

#include "libs/base/check.hpp"
#include "libs/base/testing/temporary_folder.hpp"

namespace vigia::net::internal {

std::optional<Response> EchoHandler::admit(RequestHead& head) {
  const auto function = on_admit.get();
  return function ? function(head) : std::nullopt;
}

std::unique_ptr<GrpcTalk> EchoHandler::open_talk(const RequestHead& head) {
  const auto function = on_open_talk.get();
  return function ? function(head) : nullptr;
}

std::size_t EchoHandler::body_bytes_max(const RequestHead& head) const {
  return head.path == "/small" ? 1024 : Handler::body_bytes_max(head);
}

bool EchoHandler::reads_coding(const RequestHead& head, std::string_view coding) const {
  return coding == "snappy" && head.path == "/reads-snappy";
}

void EchoHandler::handle(Request request, Responder responder) {
  if (const auto function = on_handle.get()) {
    function(std::move(request), std::move(responder));
    ++handled;  // after: what the function has kept is there once the count has risen
    return;
  }
  ++handled;
  Response response;
  response.headers.add("content-type", "text/plain");
  response.body = fmt::format("{} {}?{} {} {}", request.method, request.path, request.query,
                              static_cast<int>(request.transport), request.body.size());
  responder.send(std::move(response));
}

ServerSettings small_settings() {
  ServerSettings settings;
  settings.name = "test";
  settings.listen = "127.0.0.1:0";
  settings.loops = 2;
  settings.body_bytes_max = 1U << 20U;
  return settings;
}

RawClient::RawClient(std::uint16_t port, std::size_t receive_buffer, const std::string& from)
    : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  if (receive_buffer > 0) {
    const int size = static_cast<int>(receive_buffer);
    setsockopt(socket_.get(), SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
  }
  const int on = 1;
  setsockopt(socket_.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  const timeval timeout{10, 0};
  setsockopt(socket_.get(), SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout);
  setsockopt(socket_.get(), SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof timeout);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  CHECK(inet_pton(AF_INET, from.c_str(), &address.sin_addr) == 1);
  setsockopt(socket_.get(), IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
  CHECK(bind(socket_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  CHECK(connect(socket_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
}

void RawClient::send(std::string_view bytes) { CHECK(try_send(bytes)); }

bool RawClient::try_send(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

void RawClient::end_output() { shutdown(socket_.get(), SHUT_WR); }

std::string RawClient::read_some(std::size_t bytes_max) {
  std::string bytes(bytes_max, '\0');
  const ssize_t size = recv(socket_.get(), bytes.data(), bytes.size(), 0);
  if (size < 0 && errno == EAGAIN) throw std::runtime_error("the server said nothing for 10 s");
  bytes.resize(static_cast<std::size_t>(std::max<ssize_t>(size, 0)));
  return bytes;
}

std::string RawClient::read_until(std::string_view end) {
  std::string all;
  while (all.find(end) == std::string::npos) {
    const std::string piece = read_some(1);
    if (piece.empty()) break;
    all += piece;
  }
  return all;
}

std::string RawClient::read_all() {
  std::string all;
  while (true) {
    const std::string piece = read_some();
    if (piece.empty()) return all;
    all += piece;
  }
}

namespace {

const TemporaryFolder& certificates() {
  static const TemporaryFolder folder;  // for all that the program makes, until it ends
  return folder;
}

}  // namespace

TlsServerSettings make_client_certificate(const std::string& name) {
  const TlsServerSettings files{certificates().file(name + ".pem"),
                                certificates().file(name + "-key.pem")};
  run("openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=" +
      name + " -keyout " + files.key_file + " -out " + files.cert_file);
  return files;
}

TlsServerSettings make_certificate() {
  const TemporaryFolder& folder = certificates();
  const TlsServerSettings files{folder.file("cert.pem"), folder.file("key.pem")};
  run("openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 "
      "-subj /CN=localhost -addext subjectAltName=IP:127.0.0.1,DNS:hook.example -keyout " +
      files.key_file + " -out " + files.cert_file);
  return files;
}

std::string run(const std::string& command) {
  FILE* pipe = popen((command + " 2>&1").c_str(), "r");
  CHECK(pipe != nullptr);
  std::string all;
  std::array<char, 4096> buffer{};
  while (const std::size_t size = fread(buffer.data(), 1, buffer.size(), pipe)) {
    all.append(buffer.data(), size);
  }
  pclose(pipe);
  return all;
}

bool eventually(const std::function<bool()>& condition) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (std::chrono::steady_clock::now() < deadline) {
    if (condition()) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  return condition();
}

}  // namespace vigia::net::internal
