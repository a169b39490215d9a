#include "services/storage/api/write_api.hpp"

#include <memory>

#include <fmt/format.h>

#include "libs/net/media_type.hpp"
#include "libs/net/status.hpp"
#include "libs/wire/remote_write/write_request_2.hpp"
#include "services/storage/api/fence_header.hpp"
#include "services/storage/api/write_batch.hpp"

namespace vigia::storage::api {
namespace {

constexpr int kUnsupportedMediaType = 415;
// What a request becomes is several times its size. The collector's hold 4 MiB.
constexpr std::size_t kMessageBytesMax = 16U << 20U;
// Unpacked at a time, of a request of more than twice as much: a histogram of 256 KiB is half of
// it.
constexpr std::size_t kPieceBytes = 1U << 20U;

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

// Of the message that the media type names; nothing for what is not read here.
std::optional<wire::remote_write::WriteVersion> version_of(const net::Headers& headers) {
  const net::MediaType form(headers.get("content-type"));
  return wire::remote_write::version_of(form.type(), form.parameter("proto"),
                                        headers.get("content-encoding"));
}

Result<void> decode(const net::Request& request, WriteBatch& batch) {
  wire::remote_write::DecodeLimits limits;
  limits.message_bytes_max = kMessageBytesMax;
  limits.piece_bytes = kPieceBytes;
  if (version_of(request.headers) != wire::remote_write::WriteVersion::k2)
    return wire::remote_write::decode_request(request.body, limits, batch);
  // What its labels would be in 1.0 is bounded as a message of 1.0 is.
  const wire::remote_write::SymbolLimits symbols{.label_bytes_max = kMessageBytesMax};
  return wire::remote_write::decode_request_2(request.body, limits, symbols, batch);
}

// The first of each kind is named.
std::string refusal_text(std::uint64_t conflicts, const RefusedSamples& refused) {
  std::string text =
      fmt::format("{} samples refused, {} in conflict with stored ones, the rest stored",
                  refused.samples, conflicts);
  if (!refused.first_problem.empty()) text += "; the first: " + refused.first_problem;
  if (conflicts > 0) {
    text += refused.first_conflict.empty() ? std::string("; in conflict")
                                           : "; in conflict: " + refused.first_conflict;
    text += ": a stored sample of the same series and time has another value";
  }
  return text + "\n";
}

}  // namespace

// A fault of ours is nobody's to pay for with samples that were acknowledged: it is not final.
net::Response write_answer(const heads::AppendCounts& counts, const RefusedSamples& refused,
                           std::uint64_t exemplars_written) {
  net::Response response;
  response.status = 204;
  if (counts.set_aside > 0) {
    response = text_response(500, fmt::format("{} samples could not be kept for a fault of this "
                                              "program, see its log; the rest is stored\n",
                                              counts.set_aside));
  } else if (refused.samples > 0 || counts.conflicts > 0) {
    response = text_response(400, refusal_text(counts.conflicts, refused));
  }
  const std::uint64_t histograms = counts.histograms + counts.histogram_repeats;
  const std::uint64_t samples = counts.stored + counts.repeats - histograms;
  // Repeats count as written: to the sender they are, and fewer would look like a loss.
  response.headers.add(wire::remote_write::kSamplesWritten, fmt::to_string(samples));
  response.headers.add(wire::remote_write::kHistogramsWritten, fmt::to_string(histograms));
  response.headers.add(wire::remote_write::kExemplarsWritten, fmt::to_string(exemplars_written));
  return response;
}

std::optional<net::Response> WriteApi::admit(const net::Headers& headers) {
  if (version_of(headers).has_value()) return std::nullopt;
  return text_response(kUnsupportedMediaType,
                       fmt::format("{}\n", wire::remote_write::versions_there_are()));
}

void WriteApi::handle(net::Request request, net::Responder responder) {
  auto fence = read_fence(request.headers);
  if (!fence) return responder.send(error_response(fence.error()));
  WriteBatch batch(parts_.catalog, parts_.numbers, std::move(*fence), times_());
  if (parts_.metadata != nullptr) {
    batch.keep_metadata([keeper = parts_.metadata](const CustomerId& customer, const auto& hash) {
      return keeper->is_stored(customer, hash);
    });
  }
  if (auto decoded = decode(request, batch); !decoded) {
    return responder.send(error_response(decoded.error()));
  }
  RequestBooks books(parts_.books, batch.received());
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
  BesideSamples beside = take_beside(batch);
  ingest::IngestBatch accepted = batch.take();
  if (accepted.items() == 0) return answer(std::move(responder), {{}, refused}, std::move(beside));
  parts_.ingester.write(std::move(accepted),
                        [this, books = std::move(books), responder = std::move(responder), refused,
                         beside = std::move(beside)](Result<heads::AppendCounts> counts) mutable {
                          if (!counts) {
                            books.note_failed();
                            return responder.send(error_response(counts.error()));
                          }
                          books.note(*counts);
                          if (counts->first_conflict) {
                            return name_conflict(std::move(responder), {*counts, refused},
                                                 std::move(beside));
                          }
                          answer(std::move(responder), {*counts, refused}, std::move(beside));
                        });
}

// Not on the ingester's thread: the store may have to be asked what the series is.
void WriteApi::name_conflict(net::Responder responder, Written written, BesideSamples beside) {
  const heads::Conflict conflict = *written.counts.first_conflict;
  const auto customer = parts_.numbers.id_of(conflict.series.customer);
  struct Waiting {
    net::Responder responder;
    Written written;
    BesideSamples beside;
  };
  const auto waiting = std::make_shared<Waiting>(
      Waiting{std::move(responder), std::move(written), std::move(beside)});
  const auto end = [this, waiting] {
    answer(std::move(waiting->responder), waiting->written, std::move(waiting->beside));
  };
  const bool is_begun =
      customer && parts_.go_on(*customer, [this, waiting, end, customer = *customer, conflict] {
        waiting->written.refused.first_conflict = name_of(customer, conflict);
        end();
      });
  if (!is_begun) end();
}

// By its metric: of a store that is asked for a series' labels all of its metric may have to be
// read.
std::string WriteApi::name_of(const CustomerId& customer, const heads::Conflict& conflict) const {
  const auto metrics = parts_.catalog.metrics_of(customer, {conflict.series.id});
  if (!metrics || metrics->front().empty()) return {};
  const Labels metric = Labels::from({{std::string(kNameLabel), metrics->front()}});
  return fmt::format("{} at {}", to_string(metric), conflict.time_ms);
}

BesideSamples WriteApi::take_beside(WriteBatch& batch) {
  parts_.books.note_exemplars(batch.exemplars().counts());
  parts_.books.note_metadata(batch.metadata().counts());
  const bool is_metadata_all = batch.received() == 0 && batch.exemplars().counts().received == 0;
  return {batch.exemplars().take(), batch.metadata().take(), is_metadata_all};
}

// Behind the samples, which are on disk. They are answered at once, since one thread keeps all
// customers' metadata, and it is said again; of metadata alone the answer says whether it is kept.
void WriteApi::answer(net::Responder responder, const Written& written, BesideSamples beside) {
  const bool is_kept = parts_.metadata != nullptr && !beside.metadata.empty();
  if (!is_kept || !beside.is_metadata_all) {
    if (is_kept) parts_.metadata->keep(std::move(beside.metadata), [](const Result<void>&) {});
    return keep_exemplars(std::move(responder), written, std::move(beside.exemplars));
  }
  parts_.metadata->keep(std::move(beside.metadata),
                        [written, to = std::move(responder)](Result<void> kept) mutable {
                          if (!kept) return to.send(error_response(kept.error()));
                          to.send(write_answer(written.counts, written.refused, 0));
                        });
}

void WriteApi::keep_exemplars(net::Responder responder, const Written& written,
                              std::vector<ingest::OwnedExemplars> exemplars) {
  const auto send = [](net::Responder& to, const Written& what, std::uint64_t exemplars_written) {
    to.send(write_answer(what.counts, what.refused, exemplars_written));
  };
  if (parts_.exemplars == nullptr || exemplars.empty()) return send(responder, written, 0);
  parts_.exemplars->keep(std::move(exemplars),
                         [send, written, to = std::move(responder)](std::uint64_t count) mutable {
                           send(to, written, count);
                         });
}

}  // namespace vigia::storage::api
