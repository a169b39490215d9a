#include "services/collector/exporters/http_settings.hpp"

#include <algorithm>
#include <cctype>

namespace vigia::collector::exporters {
namespace {

using service::ConfigNode;

/// RFC 9110 §5.6.2.
bool is_token(std::string_view name) {
  constexpr std::string_view kOthers = "!#$%&'*+-.^_`|~";
  return !name.empty() && std::all_of(name.begin(), name.end(), [&](char letter) {
    return std::isalnum(static_cast<unsigned char>(letter)) != 0 ||
           kOthers.find(letter) != std::string_view::npos;
  });
}

void read_headers(const ConfigNode& node, HttpSettings& http) {
  for (const std::string& name : node.keys()) {
    const ConfigNode value = node.child(name);
    http.headers.emplace_back(name, value.text());
    const bool has_break = http.headers.back().second.find_first_of("\r\n") != std::string::npos;
    if (!is_token(name) || has_break) value.note_error("is no header that can be sent");
  }
}

/// Keys of stock files beside ours: configtls of a client.
void read_other_tls_keys(const ConfigNode& node, config::Notes& notes) {
  for (const char* key : {"ca_pem", "cert_pem", "key_pem", "tpm"})
    config::refuse_key(node.child(key), "is not read: name files, ca_file, cert_file, key_file");
  for (const char* key : {"cipher_suites", "curve_preferences"})
    config::refuse_key(node.child(key), "cannot be chosen: OpenSSL's own are spoken");
  config::refuse_key(node.child("server_name_override"),
                     "is not known here: the endpoint's name is what the certificate must have");
  if (const ConfigNode oldest = node.child("min_version"); oldest.text("1.2") != "1.2")
    oldest.note_error("must be \"1.2\": what both ends speak is spoken, TLS 1.2 or 1.3");
  config::refuse_key(node.child("max_version"), "cannot be chosen: TLS 1.2 and 1.3 are spoken");
  config::take_note(node.child("reload_interval"), "files are read for each connection", notes);
  config::take_note(node.child("include_system_ca_certs_pool"),
                    "ca_file, or without it the system's authorities, are trusted", notes);
}

/// Of confighttp and configgrpc: how a client of upstream keeps its connections, which ours
/// decides.
void read_other_keys(const ConfigNode& node, config::Notes& notes) {
  config::take_notes(node, {"read_buffer_size", "write_buffer_size"}, "buffers are fixed", notes);
  config::take_notes(
      node,
      {"keepalive", "wait_for_ready", "balancer_name", "max_idle_conns", "max_idle_conns_per_host",
       "max_conns_per_host", "idle_conn_timeout", "disable_keep_alives", "http2_read_idle_timeout",
       "http2_ping_timeout", "force_attempt_http2"},
      "connections are kept and shared", notes);
  config::take_note(node.child("compression_params"), "each coding has one level", notes);
  config::take_note(node.child("cookies"), "none are kept", notes);
  config::refuse_key(node.child("proxy_url"),
                     "is not read: set https_proxy or http_proxy in the environment");
  config::refuse_key(node.child("authority"), "is not read: it is the endpoint's");
  config::refuse_key(node.child("middlewares"), "there are none");
}

void read_client_tls(const ConfigNode& node, BareEndpoint bare, HttpSettings& http) {
  http.ca_file = node.child("ca_file").text();
  http.cert_file = node.child("cert_file").text();
  http.key_file = node.child("key_file").text();
  http.tls_skip_verify = node.child("insecure_skip_verify").boolean(false);
  const bool is_plain = node.child("insecure").boolean(false);
  if (is_plain && http.endpoint.starts_with("https://")) {
    node.child("insecure").note_error("contradicts the endpoint's https://");
  }
  if (bare == BareEndpoint::kTls && !http.endpoint.empty() &&
      http.endpoint.find("://") == std::string::npos) {
    http.endpoint = (is_plain ? "http://" : "https://") + http.endpoint;
  }
}

void check_scheme(const ConfigNode& node, const HttpSettings& http) {
  if (http.endpoint.empty() || http.endpoint.starts_with("http://") ||
      http.endpoint.starts_with("https://"))
    return;
  node.child("endpoint").note_error("must be a URL that begins with http:// or https://");
}

void read_auth(const ConfigNode& node, const config::PartContext& context, HttpSettings& http) {
  if (!node.is_present()) return;
  const ConfigNode authenticator = node.child("authenticator");
  const auto token = context.bearer_tokens.find(authenticator.text());
  if (token == context.bearer_tokens.end()) {
    authenticator.note_error("is not a bearertokenauth described under extensions");
    return;
  }
  http.headers.emplace_back("Authorization", token->second);
}

}  // namespace

HttpSettings read_http_settings(const ConfigNode& node, BareEndpoint bare,
                                const config::PartContext& context) {
  HttpSettings http;
  http.endpoint = node.child("endpoint").required_text();
  read_headers(node.child("headers"), http);
  read_client_tls(node.child("tls"), bare, http);
  read_other_tls_keys(node.child("tls"), context.notes);
  read_other_keys(node, context.notes);
  check_scheme(node, http);
  read_auth(node.child("auth"), context, http);
  http.timeout = node.child("timeout").duration(http.timeout);
  http.compression = node.child("compression").text();
  return http;
}

}  // namespace vigia::collector::exporters
