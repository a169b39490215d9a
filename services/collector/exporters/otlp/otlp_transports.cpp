#include "services/collector/exporters/otlp/otlp_transports.hpp"

#include <utility>

#include "libs/otlp/client.hpp"
#include "services/collector/exporters/http_transport.hpp"

namespace vigia::collector::exporters::otlp {
namespace {

using Kind = delivery::Answer::Kind;
using vigia::otlp::ExportAnswer;
using vigia::otlp::ExportSettings;

Kind kind_of(ExportAnswer::Meaning meaning) {
  switch (meaning) {
    case ExportAnswer::Meaning::kTaken:
      return Kind::kTaken;
    case ExportAnswer::Meaning::kRefused:
      return Kind::kRefused;
    case ExportAnswer::Meaning::kBroken:
      return Kind::kBroken;
    case ExportAnswer::Meaning::kLater:
      break;
  }
  // What is not known to be final is tried again: a wrong guess costs time then, and data
  // otherwise.
  return Kind::kRetry;
}

class OtlpTransport final : public delivery::MessageTransport {
 public:
  OtlpTransport(ExportSettings settings, net::Client& client)
      : exports_(std::move(settings), client) {}

  void send(const CustomerId& customer, Signal signal, std::string_view message,
            Task<void(delivery::Answer)> done) override {
    net::Headers headers;
    add_customer(headers, customer);
    exports_.send(signal, message, headers,
                  [done = std::move(done)](ExportAnswer answer, std::string_view /*date*/) {
                    done(answer_of(std::move(answer)));
                  });
  }

 private:
  vigia::otlp::ExportClient exports_;
};

std::unique_ptr<delivery::MessageTransport> make(const HttpSettings& settings,
                                                 vigia::otlp::Protocol protocol,
                                                 net::Client& client) {
  return std::make_unique<OtlpTransport>(
      ExportSettings{.endpoint = settings.endpoint,
                     .protocol = protocol,
                     .compression = settings.compression == "none" ? "" : settings.compression,
                     .headers = configured_headers(settings),
                     .timeout = settings.timeout,
                     .tls = tls_of(settings)},
      client);
}

}  // namespace

delivery::Answer answer_of(ExportAnswer answer) {
  delivery::Answer made{kind_of(answer.meaning), std::move(answer.why), answer.retry_after,
                        answer.rejected};
  made.is_timeout = answer.is_timeout;
  return made;
}

std::unique_ptr<delivery::MessageTransport> make_http_transport(const HttpSettings& settings,
                                                                net::Client& client) {
  return make(settings, vigia::otlp::Protocol::kHttp, client);
}

std::unique_ptr<delivery::MessageTransport> make_grpc_transport(const HttpSettings& settings,
                                                                net::Client& client) {
  return make(settings, vigia::otlp::Protocol::kGrpc, client);
}

}  // namespace vigia::collector::exporters::otlp
