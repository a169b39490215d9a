#include "services/collector/exporters/transports.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <ctime>

#include <fmt/format.h>
#include <protozero/pbf_reader.hpp>

#include "libs/net/compression.hpp"
#include "libs/net/status.hpp"
#include "libs/wire/remote_write/write_request.hpp"

namespace vigia::collector::exporters {
namespace {

namespace remote_write = wire::remote_write;
using Kind = delivery::Answer::Kind;

constexpr std::string_view kCustomerHeader = "x-vigia-customer";
constexpr std::size_t kAnswerTextMax = 512;
constexpr std::size_t kResponseBytesMax = 4U << 20U;  // R-EXP-5

/// Statuses that speak of the address, the token or the path, not of the data.
constexpr std::array kSetUpStatuses{401, 403, 404, 405, 407, 408, 415};
/// Statuses that ask for another try, beside every 5xx but 500 for remote write.
constexpr std::array kRetryStatuses{429, 502, 503, 504};
/// How Prometheus' answers begin where it will never take a sample. Only the beginning is looked
/// at: what follows may quote a customer's labels.
constexpr std::array<std::string_view, 2> kTooOldTexts{"too old sample", "out of bounds"};
constexpr std::string_view kTooNewText = "out of bounds: timestamp is too far in the future";
constexpr std::array<std::string_view, 2> kRefusalTexts{"out of order sample",
                                                        "duplicate sample for timestamp"};

template <typename Texts>
bool begins_with_one_of(const Texts& texts, std::string_view body) {
  return std::any_of(texts.begin(), texts.end(),
                     [body](std::string_view text) { return body.starts_with(text); });
}

template <typename List>
bool contains(const List& list, int status) {
  return std::find(list.begin(), list.end(), status) != list.end();
}

std::string shorten(std::string_view text) { return std::string(text.substr(0, kAnswerTextMax)); }

delivery::Answer from_error(const Error& error) {
  delivery::Answer answer{Kind::kRetry, error.message, error.retry_after};
  answer.is_timeout = error.code == ErrorCode::kDeadline;
  return answer;
}

/// Of the address, the token or the path; also a redirect, which is not followed.
bool is_set_up(int status) {
  return (status >= 300 && status < 400) || contains(kSetUpStatuses, status);
}

/// "3 samples refused, 2 in conflict with stored ones, the rest stored; …", as vigia-storage says
/// it: how many samples were not stored. Nothing for any other text.
std::optional<std::uint64_t> not_stored(std::string_view body) {
  const auto number = [&body]() -> std::optional<std::uint64_t> {
    std::uint64_t value = 0;
    const auto [end, fault] = std::from_chars(body.data(), body.data() + body.size(), value);
    if (fault != std::errc()) return std::nullopt;
    body.remove_prefix(static_cast<std::size_t>(end - body.data()));
    return value;
  };
  const auto text = [&body](std::string_view expected) {
    if (!body.starts_with(expected)) return false;
    body.remove_prefix(expected.size());
    return true;
  };
  const auto refused = number();
  if (!refused || !text(" samples refused, ")) return std::nullopt;
  const auto conflicts = number();
  if (!conflicts || !text(" in conflict with stored ones, the rest stored;")) return std::nullopt;
  return *refused + *conflicts;
}

std::optional<Duration> retry_after(const net::ClientResponse& response) {
  const auto error = net::error_from_http(response.status, response.headers, response.body);
  return error ? error->retry_after : std::nullopt;
}

std::string status_text(const net::ClientResponse& response) {
  return fmt::format("HTTP {}: {}", response.status, shorten(response.body));
}

/// The answer's Date (RFC 9110 6.6.1), ms since 1970.
std::optional<std::int64_t> date_of(const net::ClientResponse& response) {
  constexpr std::int64_t kSecondMs = 1'000;
  const std::string text(response.headers.get("date"));
  std::tm date{};
  const char* rest = strptime(text.c_str(), "%a, %d %b %Y %H:%M:%S GMT", &date);
  if (rest == nullptr || *rest != '\0') return std::nullopt;
  return std::int64_t{timegm(&date)} * kSecondMs;
}

/// Names that the protocols set and no configuration overrides.
bool is_protocol_header(std::string_view name) {
  constexpr std::array<std::string_view, 6> kNames{"content-type",  "content-encoding",
                                                   "user-agent",    remote_write::kVersionHeader,
                                                   kCustomerHeader, "content-length"};
  return std::find(kNames.begin(), kNames.end(), name) != kNames.end();
}

/// rejected_* and error_message of the partial_success of any Export*ServiceResponse.
void read_partial_success(std::string_view body, delivery::Answer& answer) {
  try {
    protozero::pbf_reader message(body.data(), body.size());
    while (message.next(1, protozero::pbf_wire_type::length_delimited)) {
      protozero::pbf_reader partial = message.get_message();
      while (partial.next()) {
        if (partial.tag() == 1 && partial.wire_type() == protozero::pbf_wire_type::varint)
          answer.rejected =
              static_cast<std::uint64_t>(std::max<std::int64_t>(0, partial.get_int64()));
        else if (partial.tag() == 2 &&
                 partial.wire_type() == protozero::pbf_wire_type::length_delimited)
          answer.why = shorten(partial.get_string());
        else
          partial.skip();
      }
    }
  } catch (const protozero::exception&) {
    answer.rejected = 0;  // it took the data; that its answer is odd is its own affair
  }
}

/// What the three have in common.
class HttpTransport : public delivery::Transport {
 public:
  HttpTransport(const ExporterSettings& settings, net::Client& client)
      : client_(client), compression_(settings.compression == "none" ? "" : settings.compression) {
    base_.method = "POST";
    base_.timeout = settings.timeout;
    base_.response_bytes_max = kResponseBytesMax;
    for (const auto& [name, value] : settings.headers) {
      net::Headers lowered;
      lowered.add(name, value);
      if (!is_protocol_header(lowered.begin()->name)) base_.headers.add(name, value);
    }
    if (!settings.ca_file.empty() || !settings.cert_file.empty() || settings.tls_skip_verify)
      base_.tls = net::TlsClientSettings{settings.ca_file, settings.cert_file, settings.key_file,
                                         settings.tls_skip_verify};
  }

 protected:
  net::ClientRequest request(const CustomerId& customer) const {
    net::ClientRequest made = base_;
    if (!customer.is_provider()) made.headers.add(kCustomerHeader, customer.text());
    return made;
  }
  /// Nothing where it could not be compressed; `done` has then been told.
  bool compress(net::ClientRequest& made, std::string_view message,
                const std::function<void(delivery::Answer)>& done) const {
    auto body = net::compress(compression_, message);
    if (!body) {
      done(from_error(body.error()));
      return false;
    }
    made.body = *std::move(body);
    if (!compression_.empty()) made.headers.add("content-encoding", compression_);
    return true;
  }

  net::Client& client_;
  net::ClientRequest base_;
  std::string compression_;
};

class RemoteWriteTransport final : public HttpTransport {
 public:
  RemoteWriteTransport(const ExporterSettings& settings, net::Client& client)
      : HttpTransport(settings, client) {
    base_.url = settings.endpoint;
    base_.headers.add("content-type", remote_write::kContentType);
    base_.headers.add("content-encoding", remote_write::kContentEncoding);
    base_.headers.add(remote_write::kVersionHeader, remote_write::kVersion);
  }
  void send(const CustomerId& customer, Signal /*signal*/, std::string_view message,
            std::function<void(delivery::Answer)> done) override {
    net::ClientRequest made = request(customer);
    made.body = remote_write::compress_request(message);
    client_.send(std::move(made), [done = std::move(done)](Result<net::ClientResponse> response) {
      delivery::Answer answer = judge_remote_write(response);
      if (response) answer.date_ms = date_of(*response);
      done(std::move(answer));
    });
  }
};

class OtlpHttpTransport final : public HttpTransport {
 public:
  OtlpHttpTransport(const ExporterSettings& settings, net::Client& client)
      : HttpTransport(settings, client), endpoint_(settings.endpoint) {
    while (endpoint_.ends_with('/')) endpoint_.pop_back();
    base_.headers.add("content-type", "application/x-protobuf");
  }
  void send(const CustomerId& customer, Signal signal, std::string_view message,
            std::function<void(delivery::Answer)> done) override {
    net::ClientRequest made = request(customer);
    made.url = fmt::format("{}/v1/{}", endpoint_, to_string(signal));
    if (!compress(made, message, done)) return;
    client_.send(std::move(made), [done = std::move(done)](Result<net::ClientResponse> response) {
      done(judge_otlp_http(response));
    });
  }

 private:
  std::string endpoint_;
};

class OtlpGrpcTransport final : public HttpTransport {
 public:
  OtlpGrpcTransport(const ExporterSettings& settings, net::Client& client)
      : HttpTransport(settings, client), endpoint_(settings.endpoint) {
    while (endpoint_.ends_with('/')) endpoint_.pop_back();
  }
  void send(const CustomerId& customer, Signal signal, std::string_view message,
            std::function<void(delivery::Answer)> done) override {
    net::ClientRequest made = request(customer);
    made.url = endpoint_ + std::string(method(signal));
    made.body = message;
    client_.call(
        std::move(made), compression_,
        [done = std::move(done)](Result<net::GrpcReply> reply) { done(judge_otlp_grpc(reply)); });
  }

 private:
  static std::string_view method(Signal signal) {
    switch (signal) {
      case Signal::kMetrics:
        return "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export";
      case Signal::kTraces:
        return "/opentelemetry.proto.collector.trace.v1.TraceService/Export";
      case Signal::kLogs:
        return "/opentelemetry.proto.collector.logs.v1.LogsService/Export";
    }
    return "";
  }
  std::string endpoint_;
};

}  // namespace

delivery::Answer judge_remote_write(const Result<net::ClientResponse>& response) {
  if (!response) return from_error(response.error());
  const int status = response->status;
  if (status >= 200 && status < 300) return {};
  delivery::Answer answer{Kind::kRefused, status_text(*response), retry_after(*response)};
  // Our own storage says 400 as Prometheus does, and stores the rest: sent again it would only be
  // told of conflicts with itself.
  if (const auto count = status == 400 ? not_stored(response->body) : std::nullopt) {
    answer.kind = Kind::kTaken;
    answer.rejected = *count;
    return answer;
  }
  if ((status == 400 || status == 500) && response->body.starts_with(kTooNewText)) {
    answer.kind = Kind::kRetry;
    answer.is_too_new = true;
    return answer;
  }
  answer.is_too_old =
      (status == 400 || status == 500) && begins_with_one_of(kTooOldTexts, response->body);
  // Prometheus answers 500 also where it will never take the sample: such a request would be sent
  // for ever. By the text alone the two can be told apart.
  if (status == 500) {
    const bool is_refusal = answer.is_too_old || begins_with_one_of(kRefusalTexts, response->body);
    answer.kind = is_refusal ? Kind::kRefused : Kind::kBroken;
  } else if (status > 500 || status < 200 || contains(kRetryStatuses, status) ||
             is_set_up(status)) {
    answer.kind = Kind::kRetry;
  }
  return answer;
}

delivery::Answer judge_otlp_http(const Result<net::ClientResponse>& response) {
  if (!response) return from_error(response.error());
  const int status = response->status;
  if (status >= 200 && status < 300) {
    delivery::Answer answer;
    read_partial_success(response->body, answer);
    return answer;
  }
  Kind kind = Kind::kRefused;
  if (contains(kRetryStatuses, status) || is_set_up(status) || status < 200)
    kind = Kind::kRetry;
  else if (status >= 500)
    kind = Kind::kBroken;
  return {kind, status_text(*response), retry_after(*response)};
}

delivery::Answer judge_otlp_grpc(const Result<net::GrpcReply>& reply) {
  if (!reply) return from_error(reply.error());
  if (reply->code == net::GrpcCode::kOk) {
    delivery::Answer answer;
    read_partial_success(reply->body, answer);
    return answer;
  }
  const auto error = net::error_from_grpc(reply->code, reply->message, reply->details);
  const bool is_set_up_code = reply->code == net::GrpcCode::kUnauthenticated ||
                              reply->code == net::GrpcCode::kPermissionDenied ||
                              reply->code == net::GrpcCode::kUnimplemented;
  const bool is_broken = reply->code == net::GrpcCode::kUnknown ||
                         reply->code == net::GrpcCode::kInternal ||
                         reply->code == net::GrpcCode::kDataLoss;
  delivery::Answer answer{
      Kind::kRefused,
      fmt::format("gRPC {}: {}", static_cast<int>(reply->code), shorten(reply->message)),
      error ? error->retry_after : std::nullopt};
  if (is_set_up_code || (error && is_retryable(*error)))
    answer.kind = Kind::kRetry;
  else if (is_broken)
    answer.kind = Kind::kBroken;
  answer.is_timeout = reply->code == net::GrpcCode::kDeadlineExceeded;
  return answer;
}

Result<std::unique_ptr<delivery::Transport>> make_transport(const ExporterSettings& settings,
                                                            net::Client& client) {
  if (!settings.endpoint.starts_with("http://") && !settings.endpoint.starts_with("https://"))
    return fail(ErrorCode::kInvalid,
                fmt::format("{}: endpoint \"{}\" is no http:// or https:// URL", settings.id,
                            settings.endpoint));
  switch (settings.kind) {
    case ExporterKind::kPrometheusRemoteWrite:
      return std::make_unique<RemoteWriteTransport>(settings, client);
    case ExporterKind::kOtlpHttp:
      return std::make_unique<OtlpHttpTransport>(settings, client);
    case ExporterKind::kOtlp:
      return std::make_unique<OtlpGrpcTransport>(settings, client);
    default:
      return fail(ErrorCode::kInvalid, settings.id + ": no kind that sends anywhere");
  }
}

}  // namespace vigia::collector::exporters
