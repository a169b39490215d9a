#include "services/storage/api/write_api.hpp"

#include <cctype>

#include <fmt/format.h>

#include "libs/net/media_type.hpp"
#include "libs/net/status.hpp"
#include "services/storage/api/fence_header.hpp"
#include "services/storage/api/write_batch.hpp"

namespace vigia::storage::api {
namespace {

constexpr int kUnsupportedMediaType = 415;
// What a request becomes is several times its size. The collector's hold 4 MiB.
constexpr std::size_t kMessageBytesMax = 16U << 20U;

net::Response text_response(int status, std::string text) {
  net::Response response;
  response.status = status;
  response.headers.add("content-type", "text/plain; charset=utf-8");
  response.body = std::move(text);
  return response;
}

net::Response error_response(const Error& error) {
  net::Response response = text_response(net::http_status(error.code), error.message + "\n");
  if (is_retryable(error)) response.headers.add("retry-after", "1");
  return response;
}

// 1.0 alone; a sender that offers 2.0 falls back on 415.
bool is_remote_write_1(const net::Headers& headers) {
  const net::MediaType form(headers.get("content-type"));
  const std::string_view message = form.parameter("proto");
  const bool is_first = message.empty() || message == "prometheus.WriteRequest";
  std::string coding(headers.get("content-encoding"));
  for (char& letter : coding)
    letter = static_cast<char>(std::tolower(static_cast<unsigned char>(letter)));
  return form.type() == "application/x-protobuf" && is_first && coding == "snappy";
}

}  // namespace

// A fault of ours is nobody's to pay for with samples that were acknowledged: it is not final.
net::Response write_answer(const heads::AppendCounts& counts, const RefusedSamples& refused) {
  net::Response response;
  response.status = 204;
  if (counts.set_aside > 0) {
    response = text_response(500, fmt::format("{} samples could not be kept for a fault of this "
                                              "program, see its log; the rest is stored\n",
                                              counts.set_aside));
  } else if (refused.samples > 0 || counts.conflicts > 0) {
    const std::string why = refused.first_problem.empty()
                                ? "a stored sample of the same series and time has another value"
                                : refused.first_problem;
    response = text_response(
        400, fmt::format("{} samples refused, {} in conflict with stored ones, the rest stored; "
                         "the first: {}\n",
                         refused.samples, counts.conflicts, why));
  }
  const std::uint64_t histograms = counts.histograms + counts.histogram_repeats;
  const std::uint64_t samples = counts.stored + counts.repeats - histograms;
  // Repeats count as written: to the sender they are, and fewer would look like a loss.
  response.headers.add("x-prometheus-remote-write-samples-written", fmt::to_string(samples));
  response.headers.add("x-prometheus-remote-write-histograms-written", fmt::to_string(histograms));
  response.headers.add("x-prometheus-remote-write-exemplars-written", "0");
  return response;
}

std::optional<net::Response> WriteApi::admit(const net::Headers& headers) {
  if (is_remote_write_1(headers)) return std::nullopt;
  return text_response(kUnsupportedMediaType, "remote write 1.0 in a snappy block is taken here\n");
}

void WriteApi::handle(net::Request request, net::Responder responder) {
  auto fence = read_fence(request.headers);
  if (!fence) return responder.send(error_response(fence.error()));
  WriteBatch batch(catalog_, numbers_, std::move(*fence), oldest_());
  wire::remote_write::DecodeLimits limits;
  limits.message_bytes_max = kMessageBytesMax;
  if (auto decoded = wire::remote_write::decode_request(request.body, limits, batch); !decoded) {
    return responder.send(error_response(decoded.error()));
  }
  RequestBooks books(books_, batch.received());
  if (auto resolved = batch.resolve(); !resolved) {
    books.note_failed();
    return responder.send(error_response(resolved.error()));
  }
  books.note_expired(batch.expired());
  RefusedSamples refused{0, batch.first_problem()};
  for (std::size_t i = 0; i < kRefusals; ++i) {
    const auto reason = static_cast<Refusal>(i);
    books.note_refused(reason, batch.refused(reason));
    refused.samples += batch.refused(reason);
  }
  ingest::IngestBatch accepted = batch.take();
  if (accepted.items() == 0) return responder.send(write_answer({}, refused));
  ingester_.write(std::move(accepted), [books = std::move(books), responder = std::move(responder),
                                        refused](Result<heads::AppendCounts> counts) mutable {
    if (!counts) {
      books.note_failed();
      return responder.send(error_response(counts.error()));
    }
    books.note(*counts);
    responder.send(write_answer(*counts, refused));
  });
}

}  // namespace vigia::storage::api
