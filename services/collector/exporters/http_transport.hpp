// What the ways to a destination have in common that are HTTP: remote write, OTLP over HTTP or
// gRPC.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "libs/base/result.hpp"
#include "libs/net/client.hpp"
#include "services/collector/delivery/parcel.hpp"
#include "services/collector/exporters/http_settings.hpp"

namespace vigia::collector::exporters {

/// What is configured, without what the protocols set and no configuration overrides (R-RW-1).
net::Headers configured_headers(const HttpSettings& settings);
/// Nothing where the system's trust and no certificate of ours serve.
std::optional<net::TlsClientSettings> tls_of(const HttpSettings& settings);
/// X-Vigia-Customer; what is nobody's goes without it.
void add_customer(net::Headers& headers, const CustomerId& customer);

/// kInvalid, with the exporter's id, where the endpoint is no http:// or https:// URL.
Result<void> check_endpoint(const std::string& exporter, const std::string& endpoint);

/// No answer came.
delivery::Answer answer_of(const Error& error);
/// "HTTP 503: …", the answer's text cut short.
std::string status_text(const net::ClientResponse& response);
/// A destination's text, cut short.
std::string shorten(std::string_view text);
std::optional<Duration> retry_after(const net::ClientResponse& response);
/// Of the address, the token or the path; also a redirect, which is not followed.
bool speaks_of_set_up(int status);
/// Statuses that ask for another try: 429, 502, 503, 504.
bool asks_for_another_try(int status);

}  // namespace vigia::collector::exporters
