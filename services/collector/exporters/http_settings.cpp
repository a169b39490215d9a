#include "services/collector/exporters/http_settings.hpp"

namespace vigia::collector::exporters {
namespace {

using service::ConfigNode;

void read_headers(const ConfigNode& node, HttpSettings& http) {
  for (const std::string& name : node.keys()) {
    http.headers.emplace_back(name, node.child(name).text());
  }
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
  check_scheme(node, http);
  read_auth(node.child("auth"), context, http);
  http.timeout = node.child("timeout").duration(http.timeout);
  http.compression = node.child("compression").text();
  return http;
}

}  // namespace vigia::collector::exporters
