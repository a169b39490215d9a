#include "services/storage/healing/hot_store.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "libs/net/form.hpp"
#include "libs/net/media_type.hpp"
#include "libs/wire/prometheus_api/envelope.hpp"
#include "libs/wire/prometheus_api/series.hpp"
#include "libs/wire/remote_read/read_request.hpp"
#include "libs/wire/remote_read/read_response.hpp"
#include "services/storage/healing/made_series.hpp"

namespace vigia::storage::healing {
namespace {

constexpr std::size_t kCustomersMax = 100'000;
constexpr std::size_t kCustomersBytesMax = 8U << 20U;  // an id has 63 characters at most
constexpr Duration kTimeout = std::chrono::seconds(30);
constexpr std::size_t kWordsMax = 200;
constexpr int kOk = 200;
constexpr int kServerErrors = 500;

// What it refuses for what is asked (too many samples, say) may pass with less of a time, and does
// not pass by itself: as kCorrupt it is cut, and passed over in the end. All other refusals are of
// whoever asks, or of the URL: these a person puts right.
ErrorCode code_of(int status) {
  switch (status) {
    case 400:
    case 422:
      return ErrorCode::kCorrupt;
    case 413:
      return ErrorCode::kTooLarge;
    case 408:
    case 425:
    case 429:
      return ErrorCode::kUnavailable;
    default:
      return status >= kServerErrors ? ErrorCode::kUnavailable : ErrorCode::kInvalid;
  }
}

// One short line of printable characters, of what it says: it goes into a log.
std::string words_of(std::string_view text) {
  std::string words(text.substr(0, kWordsMax));
  constexpr char kLast = '~';
  std::replace_if(
      words.begin(), words.end(), [](char letter) { return letter < ' ' || letter > kLast; }, ' ');
  return words;
}

// Of what reads an answer: it may name parts of it.
tl::unexpected<Error> unreadable(const std::string& url, const Error& error) {
  return fail(error.code,
              fmt::format("{} answers what cannot be read: {}", url, words_of(error.message)));
}

std::string seconds_of(TimestampMs time_ms) {
  constexpr TimestampMs kSecondMs = 1'000;
  return fmt::format("{}.{:03}", time_ms / kSecondMs, time_ms % kSecondMs);
}

}  // namespace

Prometheus::Prometheus(const HealSettings& settings)
    : url_(settings.prometheus), tls_(settings.tls), client_(net::Client::create({})) {}

Result<std::string> Prometheus::ask(net::ClientRequest request, std::string_view content_type) {
  request.timeout = kTimeout;
  if (request.url.starts_with("https:")) request.tls = tls_;
  auto response = client_->fetch(std::move(request));
  if (!response) return forward(response);
  if (response->status != kOk) {
    return fail(code_of(response->status),
                fmt::format("{} answers {}: {}", url_, response->status, words_of(response->body)));
  }
  const net::MediaType form(response->headers.get("content-type"));
  if (form.type() != net::MediaType(content_type).type()) {
    return fail(ErrorCode::kInvalid, fmt::format("{} answers with {}, not with {}", url_,
                                                 words_of(form.type()), content_type));
  }
  return std::move(response->body);
}

Result<std::vector<std::string>> Prometheus::customers(const Stretch& stretch) {
  std::vector<std::pair<std::string, std::string>> asked = {{"start", seconds_of(stretch.from_ms)},
                                                            {"end", seconds_of(stretch.to_ms)}};
  for (const std::string& selector : made_selectors()) asked.emplace_back("match[]", selector);
  net::ClientRequest request;
  request.url =
      fmt::format("{}/api/v1/label/{}/values?{}", url_, kCustomerLabel, net::encode_form(asked));
  request.method = "GET";
  request.response_bytes_max = kCustomersBytesMax;
  auto body = ask(std::move(request), "application/json");
  if (!body) return forward(body);
  const auto answer = wire::prometheus_api::Envelope::read(*std::move(body));
  if (!answer) return unreadable(url_, answer.error());
  if (!answer->is_success()) {
    return fail(ErrorCode::kUnavailable,
                fmt::format("{} answers: {}", url_, words_of(answer->error())));
  }
  std::vector<std::string> names;
  const auto read =
      wire::prometheus_api::read_texts(answer->data(), [&names](std::string_view name) {
        if (names.size() <= kCustomersMax) names.emplace_back(name);
      });
  if (!read) return unreadable(url_, read.error());
  if (names.size() > kCustomersMax) {
    return fail(ErrorCode::kInvalid,
                fmt::format("{} names more than {} customers", url_, kCustomersMax));
  }
  return names;
}

Result<std::string> Prometheus::made_series(const CustomerId& customer, const Stretch& stretch) {
  std::vector<wire::remote_read::Query> queries;
  for (std::vector<Matcher>& matchers : made_matchers(customer)) {
    queries.push_back({stretch.from_ms, stretch.to_ms, std::move(matchers)});
  }
  net::ClientRequest request;
  request.url = url_ + "/api/v1/read";
  request.method = "POST";
  request.response_bytes_max = kAnswerBytesMax;
  request.headers = {{"content-type", "application/x-protobuf"},
                     {"content-encoding", "snappy"},
                     {"x-prometheus-remote-read-version", "0.1.0"}};
  request.body = wire::remote_read::encode_read_request(
      queries, {wire::remote_read::ResponseType::kStreamedXorChunks});
  return ask(std::move(request), wire::remote_read::kChunksContentType);
}

}  // namespace vigia::storage::healing
