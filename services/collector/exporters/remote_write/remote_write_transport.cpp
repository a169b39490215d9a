#include "services/collector/exporters/remote_write/remote_write_transport.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <ctime>
#include <mutex>
#include <utility>
#include <vector>

#include "libs/wire/remote_write/request_encoder_2.hpp"
#include "libs/wire/remote_write/write_request_2.hpp"
#include "services/collector/exporters/http_transport.hpp"
#include "services/collector/exporters/remote_write/metadata_sent.hpp"
#include "services/collector/exporters/remote_write/refused_lines.hpp"

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

std::optional<std::uint64_t> number_of(const net::ClientResponse& response,
                                       std::string_view header) {
  const std::string_view text = response.headers.get(header);
  std::uint64_t number = 0;
  const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (fault != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

/// A line for each sample; what of it is a customer's own is quoted and has no line breaks.
bool has_line_of(std::string_view beginning, std::string_view body) {
  for (;;) {
    if (body.starts_with(beginning)) return true;
    const std::size_t end = body.find('\n');
    if (end == std::string_view::npos) return false;
    body.remove_prefix(end + 1);
  }
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

/// Encoders that nobody uses now: both lanes send, and each request has one for itself.
class Encoders {
 public:
  std::unique_ptr<protocol::RequestEncoder2> take() {
    const std::lock_guard lock(mutex_);
    if (spare_.empty()) return std::make_unique<protocol::RequestEncoder2>();
    auto encoder = std::move(spare_.back());
    spare_.pop_back();
    return encoder;
  }
  void give_back(std::unique_ptr<protocol::RequestEncoder2> encoder) {
    const std::lock_guard lock(mutex_);
    spare_.push_back(std::move(encoder));
  }

 private:
  std::mutex mutex_;
  std::vector<std::unique_ptr<protocol::RequestEncoder2>> spare_;  // as many as threads that send
};

using Done = Task<void(delivery::Answer)>;

/// Statuses of a destination that may have stumbled over a message that it does not know. What such
/// a status says of the data it says to 1.0 as well.
bool may_speak_of_version(int status) {
  return status == 400 || status == 406 || status == 500 || status == 501;
}

/// What requests in flight share with the transport, which may go before them.
struct TransportState {
  TransportState(net::Client& to, std::shared_ptr<Negotiation> by, const Clock& clock)
      : client(to), negotiation(std::move(by)), metadata(clock) {}

  net::Client& client;
  std::shared_ptr<Negotiation> negotiation;
  net::ClientRequest base_1, base_2;
  Encoders encoders;
  MetadataSent metadata;

  void send_1(const CustomerId& customer, std::string_view message, Done done) {
    net::ClientRequest made = base_1;
    add_customer(made.headers, customer);
    made.body = protocol::compress_request(metadata.complete(customer, message));
    client.send(std::move(made), [done = std::move(done)](Result<net::ClientResponse> response) {
      delivery::Answer answer = judge_remote_write(response);
      if (response) answer.date_ms = date_of(*response);
      done(std::move(answer));
    });
  }
};

class RemoteWriteTransport final : public delivery::MessageTransport {
 public:
  RemoteWriteTransport(const HttpSettings& settings, net::Client& client,
                       std::shared_ptr<Negotiation> negotiation, const Clock& clock,
                       delivery::SharedRequests* requests)
      : state_(std::make_shared<TransportState>(client, std::move(negotiation), clock)),
        requests_(requests) {
    if (requests_ != nullptr) requests_->join();
    state_->base_1 = state_->base_2 = request_of(settings);
    state_->base_1.headers.add("content-type", protocol::kContentType);
    state_->base_1.headers.add(protocol::kVersionHeader, protocol::kVersion);
    state_->base_2.headers.add("content-type", protocol::kContentType2);
    state_->base_2.headers.add(protocol::kVersionHeader, protocol::kVersion2);
  }

  void send(const CustomerId& customer, Signal /*signal*/, std::string_view message,
            Done done) override {
    const Negotiation::Choice choice = state_->negotiation->choose(customer);
    if (choice.version == Version::k1) return state_->send_1(customer, message, std::move(done));
    const auto request = encoded(customer, message);
    // Of another version's side queue, say.
    if (request == nullptr) return state_->send_1(customer, message, std::move(done));
    // Until it is known that 2.0 is understood, what is sent is kept to be sent again.
    const Sent sent{customer, choice.is_known ? std::string() : std::string(message),
                    request->values, choice.is_known};
    send_2(sent, request->body, std::move(done));
  }

 private:
  struct Sent {
    CustomerId customer;
    std::string message;  // of 1.0
    std::uint64_t values = 0;
    bool is_known = false;
  };

  using Encoded = delivery::SharedRequests::Encoded;

  /// By 2.0 and compressed; null for what is no message of 1.0 as it is written here.
  std::shared_ptr<const Encoded> encoded(const CustomerId& customer, std::string_view message) {
    const auto key = requests_ == nullptr ? std::nullopt : requests_->key_of(customer, message);
    if (key) {
      if (auto made = requests_->take(*key)) return made;
    }
    auto encoder = state_->encoders.take();
    std::shared_ptr<const Encoded> made;
    if (const auto request = encoder->encode(message)) {
      made = std::make_shared<const Encoded>(
          Encoded{protocol::compress_request(*request), encoder->counts().values()});
      if (key) requests_->put(*key, made);
    }
    state_->encoders.give_back(std::move(encoder));
    return made;
  }

  static net::ClientRequest request_of(const HttpSettings& settings) {
    net::ClientRequest request;
    request.method = "POST";
    request.url = settings.endpoint;
    request.timeout = settings.timeout;
    request.response_bytes_max = kResponseBytesMax;
    // A line for each of many samples: the first ones say enough, and the rest is no fault.
    request.cuts_body = true;
    request.tls = tls_of(settings);
    request.headers = configured_headers(settings);
    request.headers.add("content-encoding", protocol::kContentEncoding);
    return request;
  }

  void send_2(const Sent& sent, std::string_view body, Done done) {
    net::ClientRequest made = state_->base_2;
    add_customer(made.headers, sent.customer);
    made.body = body;
    state_->client.send(std::move(made), [state = state_, sent, done = std::move(done)](
                                             Result<net::ClientResponse> response) mutable {
      settle(*state, sent, response, std::move(done));
    });
  }

  static void settle(TransportState& state, const Sent& sent,
                     const Result<net::ClientResponse>& response, Done done) {
    const bool is_spoken = response && values_written(*response).has_value();
    if (is_spoken) state.negotiation->note_speaks_2();
    const int status = response ? response->status : 0;
    const bool is_taken = status >= 200 && status < 300;
    if (!is_spoken && (status == 415 || is_taken)) {
      const std::string why =
          is_taken ? "it does not say what it has written" : status_text(*response);
      state.negotiation->note_speaks_1(why);
      if (!sent.is_known) return state.send_1(sent.customer, sent.message, std::move(done));
      return done({delivery::Answer::Kind::kRetry, "remote write 2.0 is not understood: " + why});
    }
    if (!is_spoken && !sent.is_known && may_speak_of_version(status))
      return try_1(state, sent, status_text(*response), std::move(done));
    delivery::Answer answer = judge_remote_write_2(response, sent.values);
    if (answer.lines > 0 || answer.kind == delivery::Answer::Kind::kRefused)
      state.negotiation->note_refusal(sent.customer);
    if (response) answer.date_ms = date_of(*response);
    done(std::move(answer));
  }

  /// The version is to blame where the same is taken by 1.0.
  static void try_1(TransportState& state, const Sent& sent, const std::string& why, Done done) {
    state.send_1(sent.customer, sent.message,
                 [negotiation = state.negotiation, why,
                  done = std::move(done)](delivery::Answer answer) mutable {
                   if (answer.kind == delivery::Answer::Kind::kTaken)
                     negotiation->note_speaks_1(why);
                   done(std::move(answer));
                 });
  }

  const std::shared_ptr<TransportState> state_;  // shared with requests in flight
  delivery::SharedRequests* const requests_;     // null: nobody to share with
};

}  // namespace

std::unique_ptr<delivery::MessageTransport> make_transport(const HttpSettings& settings,
                                                           net::Client& client,
                                                           std::shared_ptr<Negotiation> negotiation,
                                                           const Clock& clock,
                                                           delivery::SharedRequests* requests) {
  return std::make_unique<RemoteWriteTransport>(settings, client, std::move(negotiation), clock,
                                                requests);
}

std::optional<std::uint64_t> values_written(const net::ClientResponse& response) {
  const auto samples = number_of(response, protocol::kSamplesWritten);
  const auto histograms = number_of(response, protocol::kHistogramsWritten);
  if (!samples && !histograms) return std::nullopt;
  return samples.value_or(0) + histograms.value_or(0);
}

delivery::Answer judge_remote_write_2(const Result<net::ClientResponse>& response,
                                      std::uint64_t values) {
  const auto written = response ? values_written(*response) : std::nullopt;
  if (!written || response->status != 400 || not_stored(response->body))
    return judge_remote_write(response);
  const std::uint64_t lines = count_refused_lines(response->body);
  delivery::Answer answer{Kind::kTaken, status_text(*response)};
  if (has_line_of(kTooNewText, response->body)) {
    answer.kind = Kind::kRetry;
    answer.is_too_new = true;
  } else if (*written == 0) {
    answer = judge_remote_write(response);  // nothing hinders a search
  } else if (*written < values) {
    answer.rejected = values - *written;
    answer.refused = read_refused_lines(response->body);
  }  // else nothing but an exemplar was refused
  answer.lines = lines;
  return answer;
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
