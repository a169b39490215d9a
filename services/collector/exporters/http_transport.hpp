// What the ways to a destination have in common that are HTTP: remote write, OTLP over HTTP or
// gRPC.
#pragma once

#include <array>
#include <functional>
#include <string>
#include <string_view>

#include "libs/base/result.hpp"
#include "libs/net/client.hpp"
#include "services/collector/delivery/parcel.hpp"
#include "services/collector/exporters/sender_settings.hpp"

namespace vigia::collector::exporters {

/// The customer goes along as X-Vigia-Customer (what is nobody's without it); configured headers
/// are added, but never over those that the protocol sets (R-RW-1). Thread contract: as Transport.
class HttpTransport : public delivery::Transport {
 public:
  /// `client` outlives the transport and its requests.
  HttpTransport(const SenderSettings& settings, net::Client& client);

 protected:
  net::ClientRequest request(const CustomerId& customer) const;
  /// Nothing where it could not be compressed; `done` has then been told.
  bool compress(net::ClientRequest& made, std::string_view message,
                const std::function<void(delivery::Answer)>& done) const;

  net::Client& client_;
  net::ClientRequest base_;
  std::string compression_;
};

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
