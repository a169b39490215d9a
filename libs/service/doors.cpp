#include "libs/service/doors.hpp"

#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include "libs/net/host_port.hpp"

namespace vigia::service {
namespace {

constexpr Duration kLookIntervalMin = std::chrono::seconds(1);
constexpr Duration kLookIntervalMax = std::chrono::hours(24);

net::TlsVersion read_tls_version(const ConfigNode& node, net::TlsVersion fallback) {
  const std::string text = node.text();
  if (text == "1.2") return net::TlsVersion::k12;
  if (text == "1.3") return net::TlsVersion::k13;
  if (node.is_present()) node.note_error("must be \"1.2\" or \"1.3\": older TLS is not spoken");
  return fallback;
}

}  // namespace

std::string read_readable_file(const ConfigNode& node) {
  std::string path = node.text();
  if (path.empty()) return path;
  // Opened and not only looked at: permissions are what is usually wrong. O_NONBLOCK, since the
  // path may be a pipe, on which a start would wait for ever.
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (file < 0) {
    node.note_error(fmt::format("{} cannot be opened: {}", path, std::strerror(errno)));
  } else {
    ::close(file);
  }
  return path;
}

std::string read_listen(const ConfigNode& node, std::string_view fallback) {
  std::string listen = node.text(fallback);
  const auto parts = net::split_host_port(listen);
  if (!parts || !parts->port) {
    node.note_error(fmt::format("\"{}\" is not host:port, such as 127.0.0.1:8090", listen));
  }
  return listen;
}

std::string read_url(const ConfigNode& node, bool is_required) {
  std::string url = is_required ? node.required_text() : node.text();
  while (url.ends_with('/')) url.pop_back();
  if (!url.empty() && !url.starts_with("http://") && !url.starts_with("https://")) {
    node.note_error("must begin with http:// or https://");
  }
  return url;
}

std::optional<net::TlsServerSettings> read_server_tls(const ConfigNode& node) {
  if (!node.is_present()) return std::nullopt;
  const auto required = [&node](const char* key) {
    const ConfigNode file = node.child(key);
    (void)file.required_text();
    return read_readable_file(file);
  };
  net::TlsServerSettings tls{required("cert_file"), required("key_file"),
                             read_readable_file(node.child("client_ca_file"))};
  tls.watches_client_ca = node.child("client_ca_file_reload").boolean(tls.watches_client_ca);
  tls.min_version = read_tls_version(node.child("min_version"), tls.min_version);
  const ConfigNode newest = node.child("max_version");
  tls.max_version = read_tls_version(newest, tls.max_version);
  if (tls.max_version < tls.min_version) newest.note_error("is below min_version");
  const ConfigNode interval = node.child("reload_interval");
  tls.look_interval = interval.duration(tls.look_interval);
  if (tls.look_interval < kLookIntervalMin || tls.look_interval > kLookIntervalMax)
    interval.note_error("must be from 1s to 24h");
  return tls;
}

std::optional<net::TlsClientSettings> read_client_tls(const ConfigNode& node) {
  if (!node.is_present()) return std::nullopt;
  net::TlsClientSettings tls{read_readable_file(node.child("ca_file")),
                             read_readable_file(node.child("cert_file")),
                             read_readable_file(node.child("key_file"))};
  if (tls.cert_file.empty() != tls.key_file.empty()) {
    node.note_error("cert_file and key_file go together");
  }
  return tls;
}

}  // namespace vigia::service
