#include "services/collector/exporters/remote_write/remote_write_transport.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <ctime>

#include "libs/wire/remote_write/write_request.hpp"
#include "services/collector/exporters/http_transport.hpp"

namespace vigia::collector::exporters::remote_write {
namespace {

namespace protocol = wire::remote_write;
using Kind = delivery::Answer::Kind;

constexpr std::size_t kResponseBytesMax = 4U << 20U;  // R-EXP-5

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

/// The answer's Date (RFC 9110 6.6.1), ms since 1970.
std::optional<std::int64_t> date_of(const net::ClientResponse& response) {
  constexpr std::int64_t kSecondMs = 1'000;
  const std::string text(response.headers.get("date"));
  std::tm date{};
  const char* rest = strptime(text.c_str(), "%a, %d %b %Y %H:%M:%S GMT", &date);
  if (rest == nullptr || *rest != '\0') return std::nullopt;
  return std::int64_t{timegm(&date)} * kSecondMs;
}

class RemoteWriteTransport final : public delivery::MessageTransport {
 public:
  RemoteWriteTransport(const HttpSettings& settings, net::Client& client) : client_(client) {
    base_.method = "POST";
    base_.url = settings.endpoint;
    base_.timeout = settings.timeout;
    base_.response_bytes_max = kResponseBytesMax;
    base_.tls = tls_of(settings);
    base_.headers = configured_headers(settings);
    base_.headers.add("content-type", protocol::kContentType);
    base_.headers.add("content-encoding", protocol::kContentEncoding);
    base_.headers.add(protocol::kVersionHeader, protocol::kVersion);
  }
  void send(const CustomerId& customer, Signal /*signal*/, std::string_view message,
            Task<void(delivery::Answer)> done) override {
    net::ClientRequest made = base_;
    add_customer(made.headers, customer);
    made.body = protocol::compress_request(message);
    client_.send(std::move(made), [done = std::move(done)](Result<net::ClientResponse> response) {
      delivery::Answer answer = judge_remote_write(response);
      if (response) answer.date_ms = date_of(*response);
      done(std::move(answer));
    });
  }

 private:
  net::Client& client_;
  net::ClientRequest base_;
};

}  // namespace

std::unique_ptr<delivery::MessageTransport> make_transport(const HttpSettings& settings,
                                                           net::Client& client) {
  return std::make_unique<RemoteWriteTransport>(settings, client);
}

delivery::Answer judge_remote_write(const Result<net::ClientResponse>& response) {
  if (!response) return answer_of(response.error());
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
  } else if (status > 500 || status < 200 || asks_for_another_try(status) ||
             speaks_of_set_up(status)) {
    answer.kind = Kind::kRetry;
  }
  return answer;
}

}  // namespace vigia::collector::exporters::remote_write
