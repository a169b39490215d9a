#include "libs/otlp/client.hpp"

#include <utility>

#include "libs/net/compression.hpp"
#include "libs/otlp/door.hpp"
#include "libs/otlp/paths.hpp"

namespace vigia::otlp {
namespace {

constexpr std::size_t kResponseBytesMax = 4U << 20U;  // R-EXP-5

ExportSettings without_slashes(ExportSettings settings) {
  while (settings.endpoint.ends_with('/')) settings.endpoint.pop_back();
  return settings;
}

}  // namespace

struct ExportClient::Compression {
  explicit Compression(std::string first) : encoding(std::move(first)) {}

  std::string now() const {
    const std::lock_guard lock(mutex);
    return encoding;
  }
  /// Whether a simpler one than `used` is left. Of many requests in flight, each of which is told
  /// the same, the first one moves on.
  bool fall_back(std::string_view used) {
    const std::lock_guard lock(mutex);
    if (used.empty()) return false;
    if (encoding == used) encoding = used == "zstd" ? "gzip" : "";
    return true;
  }

  mutable std::mutex mutex;
  std::string encoding;  // guarded by mutex
};

ExportClient::ExportClient(ExportSettings settings, net::Client& client)
    : settings_(without_slashes(std::move(settings))),
      client_(client),
      compression_(std::make_shared<Compression>(settings_.compression)) {}

void ExportClient::send(Signal signal, std::string_view body, const net::Headers& headers,
                        Done done) {
  if (settings_.protocol == Protocol::kGrpc) {
    send_grpc(signal, body, headers, std::move(done));
  } else {
    send_http(signal, body, headers, std::move(done));
  }
}

net::ClientRequest ExportClient::request_to(std::string_view path,
                                            const net::Headers& headers) const {
  net::ClientRequest request;
  request.method = "POST";
  request.url = settings_.endpoint;
  request.url += path;
  request.headers = settings_.headers;
  for (const net::Header& header : headers) request.headers.add(header.name, header.value);
  request.timeout = settings_.timeout;
  request.response_bytes_max = kResponseBytesMax;
  request.tls = settings_.tls;
  return request;
}

void ExportClient::send_grpc(Signal signal, std::string_view body, const net::Headers& headers,
                             Done done) {
  net::ClientRequest call = request_to(grpc_path(signal), headers);
  call.body = body;
  const std::string encoding = compression_->now();
  client_.call(std::move(call), encoding,
               [compression = compression_, encoding,
                done = std::move(done)](const Result<net::GrpcReply>& reply) {
                 ExportAnswer answer = judge_grpc(reply);
                 answer.can_try_again =
                     answer.is_encoding_unknown && compression->fall_back(encoding);
                 done(std::move(answer), reply ? std::string_view(reply->date) : "");
               });
}

void ExportClient::send_http(Signal signal, std::string_view body, const net::Headers& headers,
                             Done done) {
  net::ClientRequest post = request_to(http_path(signal), headers);
  const std::string encoding = compression_->now();
  auto packed = net::compress(encoding, body);
  if (!packed) return done(judge_failure(packed.error()), "");
  post.body = *std::move(packed);
  post.headers.add("content-type", kProtobufType);
  if (!encoding.empty()) post.headers.add("content-encoding", encoding);
  client_.send(std::move(post), [compression = compression_, encoding, done = std::move(done)](
                                    const Result<net::ClientResponse>& response) {
    ExportAnswer answer = judge_http(response);
    answer.can_try_again = answer.is_encoding_unknown && compression->fall_back(encoding);
    done(std::move(answer), response ? response->headers.get("date") : "");
  });
}

}  // namespace vigia::otlp
