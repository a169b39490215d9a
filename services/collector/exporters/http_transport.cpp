#include "services/collector/exporters/http_transport.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "libs/net/status.hpp"
#include "libs/wire/remote_write/write_request.hpp"

namespace vigia::collector::exporters {
namespace {

constexpr std::string_view kCustomerHeader = "x-vigia-customer";
constexpr std::size_t kAnswerTextMax = 512;

/// Statuses that speak of the address, the token or the path, not of the data.
constexpr std::array kSetUpStatuses{401, 403, 404, 405, 407, 408, 415};
constexpr std::array kRetryStatuses{429, 502, 503, 504};

template <typename List>
bool contains(const List& list, int status) {
  return std::find(list.begin(), list.end(), status) != list.end();
}

/// Names that the protocols set and no configuration overrides.
bool is_protocol_header(std::string_view name) {
  constexpr std::array<std::string_view, 6> kNames{
      "content-type",  "content-encoding", "user-agent", wire::remote_write::kVersionHeader,
      kCustomerHeader, "content-length"};
  return std::find(kNames.begin(), kNames.end(), name) != kNames.end();
}

}  // namespace

net::Headers configured_headers(const HttpSettings& settings) {
  net::Headers headers;
  for (const auto& [name, value] : settings.headers) {
    net::Headers lowered;
    lowered.add(name, value);
    if (!is_protocol_header(lowered.begin()->name)) headers.add(name, value);
  }
  return headers;
}

std::optional<net::TlsClientSettings> tls_of(const HttpSettings& settings) {
  if (settings.ca_file.empty() && settings.cert_file.empty() && !settings.tls_skip_verify)
    return std::nullopt;
  return net::TlsClientSettings{settings.ca_file, settings.cert_file, settings.key_file,
                                settings.tls_skip_verify};
}

void add_customer(net::Headers& headers, const CustomerId& customer) {
  if (!customer.is_provider()) headers.add(kCustomerHeader, customer.text());
}

Result<void> check_endpoint(const std::string& exporter, const std::string& endpoint) {
  if (endpoint.starts_with("http://") || endpoint.starts_with("https://")) return {};
  return fail(ErrorCode::kInvalid,
              fmt::format("{}: endpoint \"{}\" is no http:// or https:// URL", exporter, endpoint));
}

std::string shorten(std::string_view text) { return std::string(text.substr(0, kAnswerTextMax)); }

delivery::Answer answer_of(const Error& error) {
  delivery::Answer answer{delivery::Answer::Kind::kRetry, error.message, error.retry_after};
  answer.is_timeout = error.code == ErrorCode::kDeadline;
  return answer;
}

bool speaks_of_set_up(int status) {
  return (status >= 300 && status < 400) || contains(kSetUpStatuses, status);
}

bool asks_for_another_try(int status) { return contains(kRetryStatuses, status); }

std::optional<Duration> retry_after(const net::ClientResponse& response) {
  const auto error = net::error_from_http(response.status, response.headers, response.body);
  return error ? error->retry_after : std::nullopt;
}

std::string status_text(const net::ClientResponse& response) {
  return fmt::format("HTTP {}: {}", response.status, shorten(response.body));
}

}  // namespace vigia::collector::exporters
