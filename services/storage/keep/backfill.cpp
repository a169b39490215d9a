#include "services/storage/keep/backfill.hpp"

#include <algorithm>
#include <charconv>
#include <fstream>
#include <thread>
#include <utility>

#include <fmt/format.h>

#include "libs/base/bytes.hpp"
#include "libs/model/labels.hpp"
#include "libs/service/log.hpp"
#include "libs/wire/otlp/field_reader.hpp"
#include "libs/wire/remote_read/read_request.hpp"
#include "libs/wire/remote_write/write_fields.hpp"
#include "libs/wire/remote_write/write_request.hpp"
#include "services/storage/keep/whole_file.hpp"

namespace vigia::storage::keep {
namespace {

constexpr TimestampMs kSpanMax = 24 * 3'600'000;
constexpr TimestampMs kSpanMin = 60'000;
constexpr std::size_t kMessageBytes = 2U << 20U;
constexpr std::size_t kAnswerBytesMax = 64U << 20U;
constexpr std::size_t kUnpackedMax = 256U << 20U;
constexpr std::size_t kWordsMax = 300;
constexpr Duration kTimeout = std::chrono::minutes(2);
constexpr Duration kPatience = std::chrono::minutes(10);
constexpr Duration kPause = std::chrono::seconds(1);
constexpr std::string_view kStateHead = "vigia backfill 1";
constexpr char kTimeSeriesTag = 0x0a;  // field 1, with its length

std::string words_of(const net::ClientResponse& response) {
  std::string words = response.body.substr(0, kWordsMax);
  std::replace(words.begin(), words.end(), '\n', ' ');
  return fmt::format("{}: {}", response.status, words);
}

std::uint64_t header_number(const net::ClientResponse& response, std::string_view name) {
  const std::string text(response.headers.get(name));
  std::uint64_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

// Samples and histograms of a prompb.TimeSeries.
std::uint64_t items_of(std::string_view series) {
  using wire::otlp::bytes_field;
  std::uint64_t items = 0;
  wire::otlp::FieldReader reader(series);
  while (reader.next()) {
    const std::uint32_t field = reader.tag_and_type();
    if (field == bytes_field(2) || field == bytes_field(4)) ++items;
    reader.skip();
  }
  return items;
}

bool may_pass(int status) { return status == 429 || status >= 500; }

class Backfiller {
 public:
  Backfiller(const BackfillJob& job, net::Client& client, const Clock& clock,
             const BackfillProgress& progress)
      : job_(job), client_(client), clock_(clock), progress_(progress) {}

  Result<BackfillCounts> run() {
    auto next = first_ms();
    if (!next) return forward(next);
    TimestampMs span = kSpanMax;
    while (*next <= job_.to_ms) {
      const TimestampMs last = std::min(job_.to_ms, *next + span - 1);
      const auto done = take(*next, last);
      if (!done && done.error().code == ErrorCode::kTooLarge && span / 2 >= kSpanMin) {
        span /= 2;
        continue;
      }
      if (!done) return forward(done);
      *next = last + 1;
      if (auto noted = note(*next); !noted) return forward(noted);
      progress_(last, counts_);
      span = std::min(kSpanMax, span * 2);
    }
    return counts_;
  }

 private:
  // By which another job's state is told from this one's.
  std::string job_line() const {
    return fmt::format("{} {} {} {} {}", job_.prometheus, job_.storage,
                       job_.customer ? job_.customer->text() : "*", job_.from_ms, job_.to_ms);
  }

  Result<TimestampMs> first_ms() const {
    if (job_.state_file.empty()) return job_.from_ms;
    std::ifstream file(job_.state_file);
    if (!file.is_open()) return job_.from_ms;
    std::string head;
    std::string line;
    TimestampMs next = 0;
    std::getline(file, head);
    std::getline(file, line);
    if (head != kStateHead || line != job_line() || !(file >> next)) {
      return fail(
          ErrorCode::kInvalid,
          fmt::format("{} is of another backfill: delete it, or name another", job_.state_file));
    }
    return std::clamp(next, job_.from_ms, job_.to_ms + 1);
  }

  // Whole or not at all: a kill must not leave a part of a number.
  Result<void> note(TimestampMs next) const {
    if (job_.state_file.empty()) return {};
    return write_whole(job_.state_file, fmt::format("{}\n{}\n{}\n", kStateHead, job_line(), next));
  }

  // What passes is waited for.
  Result<net::ClientResponse> ask(const net::ClientRequest& request) const {
    const TimePoint deadline = clock_.steady() + kPatience;
    bool is_waiting_told = false;
    while (true) {
      auto response = client_.fetch(request);
      const bool is_final = response ? !may_pass(response->status)
                                     : response.error().code != ErrorCode::kUnavailable &&
                                           response.error().code != ErrorCode::kDeadline;
      if (is_final || clock_.steady() >= deadline) return response;
      if (!std::exchange(is_waiting_told, true)) {
        service::log_warn("backfill waits",
                          {{"for", request.url},
                           {"why", response ? words_of(*response) : response.error().message}});
      }
      std::this_thread::sleep_for(kPause);
    }
  }

  net::ClientRequest request_to(const std::string& url) const {
    net::ClientRequest request;
    request.method = "POST";
    request.url = url;
    request.timeout = kTimeout;
    request.response_bytes_max = kAnswerBytesMax;
    if (url.starts_with("https:")) request.tls = job_.tls;
    request.headers.add("content-type", "application/x-protobuf");
    request.headers.add("content-encoding", "snappy");
    return request;
  }

  Result<void> take(TimestampMs from_ms, TimestampMs to_ms) {
    auto message = read(from_ms, to_ms);
    if (!message) return forward(message);
    BackfillCounts counts = counts_;  // a piece that is read again in parts is counted once
    auto sent =
        each_write_of(*message, kMessageBytes, [&](std::string_view part, std::uint64_t items) {
          counts.read += items;
          return write(part, counts);
        });
    if (!sent) return sent;
    counts_ = counts;
    return {};
  }

  Result<std::string> read(TimestampMs from_ms, TimestampMs to_ms) const {
    const Matcher wanted =
        job_.customer
            ? Matcher{MatchType::kEqual, std::string(kCustomerLabel), job_.customer->text()}
            : Matcher{MatchType::kRegex, std::string(kNameLabel), ".+"};
    net::ClientRequest request = request_to(job_.prometheus + "/api/v1/read");
    request.headers.add("x-prometheus-remote-read-version", "0.1.0");
    // One of its own keeps the client from unpacking, which knows no such coding.
    request.headers.add("accept-encoding", "snappy");
    request.body = wire::remote_read::encode_read_request(
        {{from_ms, to_ms, {wanted}}}, {wire::remote_read::ResponseType::kSamples});
    const auto response = ask(request);
    if (!response) return forward(response);
    if (response->status != 200) {
      const bool is_limit = response->body.find("limit") != std::string::npos;
      return fail(is_limit ? ErrorCode::kTooLarge : ErrorCode::kUnavailable,
                  fmt::format("{} answers {}", job_.prometheus, words_of(*response)));
    }
    wire::remote_write::DecodeLimits limits;
    limits.message_bytes_max = kUnpackedMax;
    return wire::remote_write::unpack_block(response->body, limits);
  }

  Result<void> write(std::string_view message, BackfillCounts& counts) const {
    net::ClientRequest request = request_to(job_.storage + "/api/v1/write");
    request.headers.add("x-prometheus-remote-write-version", "0.1.0");
    request.headers.add("authorization", "Bearer " + job_.token);
    if (job_.customer) request.headers.add("x-vigia-customer", job_.customer->text());
    request.body = wire::remote_write::compress_request(message);
    const auto response = ask(request);
    if (!response) return forward(response);
    constexpr int kPartly = 400;  // the rest is stored
    const bool is_taken = response->status / 100 == 2;
    if (!is_taken && response->status != kPartly) {
      return fail(response->status == 413 ? ErrorCode::kTooLarge : ErrorCode::kUnavailable,
                  fmt::format("{} answers {}", job_.storage, words_of(*response)));
    }
    counts.stored += header_number(*response, "x-prometheus-remote-write-samples-written") +
                     header_number(*response, "x-prometheus-remote-write-histograms-written");
    if (is_taken) return {};
    if (counts.refusals++ == 0) counts.first_refusal = words_of(*response);
    return {};
  }

  const BackfillJob& job_;
  net::Client& client_;
  const Clock& clock_;
  const BackfillProgress& progress_;
  BackfillCounts counts_;
};

}  // namespace

Result<void> each_write_of(std::string_view response, std::size_t bytes_max,
                           const SendMessage& send) {
  using wire::otlp::bytes_field;
  using wire::otlp::FieldReader;
  std::string message;
  std::uint64_t items = 0;
  const auto flush = [&]() -> Result<void> {
    if (message.empty()) return {};
    auto sent = send(message, items);
    message.clear();
    items = 0;
    return sent;
  };
  try {
    FieldReader results(response);
    while (results.next()) {
      if (results.tag_and_type() != bytes_field(1)) {
        results.skip();
        continue;
      }
      FieldReader result(results.bytes());
      while (result.next()) {
        if (result.tag_and_type() != bytes_field(1)) {
          result.skip();
          continue;
        }
        const std::string_view series = result.bytes();
        items += items_of(series);
        message.push_back(kTimeSeriesTag);
        append_sized(message, series);
        if (message.size() < bytes_max) continue;
        if (auto sent = flush(); !sent) return sent;
      }
    }
  } catch (const protozero::exception& damage) {
    return fail(ErrorCode::kCorrupt,
                fmt::format("remote read: a damaged answer ({})", damage.what()));
  }
  return flush();
}

Result<BackfillCounts> backfill(const BackfillJob& job, net::Client& client, const Clock& clock,
                                const BackfillProgress& progress) {
  return Backfiller(job, client, clock, progress).run();
}

}  // namespace vigia::storage::keep
