#include "libs/net/internal/intake.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "libs/base/fault.hpp"
#include "libs/net/compression.hpp"
#include "libs/net/host_port.hpp"

namespace vigia::net::internal {

namespace {

// What a client only announces is reserved up to this; the rest as it comes.
constexpr std::size_t kReserveBytesMax = 8U << 20U;

std::uint32_t big_endian(const std::array<char, 5>& prefix) {
  std::uint32_t value = 0;
  for (std::size_t i = 1; i < 5; ++i) {
    value = value << 8U | static_cast<unsigned char>(prefix[i]);
  }
  return value;
}

std::string lower_case(std::string_view text) {
  std::string lower(text.substr(0, 64));
  for (char& letter : lower) {
    if (letter >= 'A' && letter <= 'Z') letter = static_cast<char>(letter - 'A' + 'a');
  }
  return lower;
}

/// Whether an Accept-Encoding takes gzip (RFC 9110 §12.5.3); a weight of nought refuses it.
bool offers_gzip(std::string_view accepted) {
  while (!accepted.empty()) {
    const std::size_t comma = accepted.find(',');
    std::string part = lower_case(accepted.substr(0, comma));
    std::erase(part, ' ');
    if (part == "gzip") return true;
    if (part.starts_with("gzip;q=")) return part.find_first_of("123456789") != std::string::npos;
    accepted.remove_prefix(comma == std::string_view::npos ? accepted.size() : comma + 1);
  }
  return false;
}

Error body_too_large(std::size_t bytes_max) {
  return {ErrorCode::kTooLarge, fmt::format("the body is larger than {} bytes", bytes_max)};
}

}  // namespace

Error too_slow(bool is_late) {
  return {ErrorCode::kDeadline,
          is_late ? "the request took too long to arrive" : "the body comes too slowly"};
}

RequestAssembly::RequestAssembly(ServerCore& core, RequestHead head, Holding head_bytes,
                                 TimePoint now)
    : core_(core),
      head_(std::move(head)),
      begun_(now),
      head_bytes_(std::move(head_bytes)),
      body_bytes_max_(core.settings.body_bytes_max) {
  std::size_t bytes = head_.path.size() + head_.query.size();
  for (const Header& header : head_.headers) {
    bytes += header.name.size() + header.value.size() + kHeaderOverheadBytes;
  }
  head_bytes_.set(bytes);
  core_.requests.fetch_add(1, std::memory_order_relaxed);
}

void RequestAssembly::drop() {
  std::string().swap(body_);  // an assignment would keep the room
  body_bytes_.set(0);
}

Response RequestAssembly::refuse(const Error& error) {
  core_.requests_refused.fetch_add(1, std::memory_order_relaxed);
  drop();
  return core_.handler.refuse(head_, error);
}

bool RequestAssembly::is_too_slow(TimePoint now) const {
  // An average since the begin, not the last second's pace: a body that came quickly may pause.
  const Duration late = now - begun_ - core_.settings.body_grace;
  if (late <= Duration::zero()) return false;
  const double seconds = std::chrono::duration<double>(late).count();
  return static_cast<double>(wire_bytes_) <
         seconds * static_cast<double>(core_.settings.body_bytes_per_second_min);
}

/// Until the handler knows better.
void RequestAssembly::name_owner() {
  head_.client = host_of_peer(head_.peer);
  // Forwarded headers are anybody's to write; they are believed of proxies that the configuration
  // names, and else the address of the socket counts.
  if (core_.proxies.contains(head_.client)) {
    if (auto client = core_.proxies.client(head_.headers)) {
      head_.client = *std::move(client);
      const bool is_ipv6 = head_.client.find(':') != std::string::npos;
      head_.peer = fmt::format(fmt::runtime(is_ipv6 ? "[{}]:0" : "{}:0"), head_.client);
    }
  }
  head_.owner = share_name(head_.client);
}

std::optional<Response> RequestAssembly::admit(std::optional<std::uint64_t> content_length) {
  name_owner();
  std::optional<Response> early;
  if (!contain_faults("admitting a request", [&] { early = core_.handler.admit(head_); }))
    return refuse({ErrorCode::kInternal, "the request could not be looked at"});
  // Before the body: a client without a token costs us a head and nothing more.
  if (early) return early;
  if (head_bytes_.is_over()) {
    return refuse({ErrorCode::kUnavailable, "too many requests are being received"});
  }
  body_bytes_max_ = std::min(body_bytes_max_, core_.handler.body_bytes_max(head_));
  const std::size_t extra = head_.transport == Transport::kGrpc ? prefix_.size() : 0;
  if (content_length && *content_length > body_bytes_max_ + extra) {
    return refuse(body_too_large(body_bytes_max_));
  }
  // The announced length is good for refusing early, never for taking: what comes is counted byte
  // by byte in append.
  const Budget& bodies = core_.budgets->bodies;
  if (content_length && *content_length > bodies.small() && bodies.is_shut()) {
    return refuse(no_room_for_large());
  }
  if (content_length && head_.transport != Transport::kGrpc) {
    body_.reserve(std::min<std::size_t>(*content_length, kReserveBytesMax));
  }
  return std::nullopt;
}

std::optional<Response> RequestAssembly::take(std::string_view bytes) {
  wire_bytes_ += bytes.size();
  if (head_.transport == Transport::kGrpc) {
    if (auto answer = take_prefix(bytes)) return answer;
    if (body_.size() + bytes.size() > message_bytes_) {
      return refuse({ErrorCode::kInvalid, "a unary call has exactly one message"});
    }
  }
  return append(bytes);
}

/// Eats the five bytes before a gRPC message.
std::optional<Response> RequestAssembly::take_prefix(std::string_view& bytes) {
  if (prefix_size_ == prefix_.size()) return std::nullopt;
  const std::size_t count = std::min(bytes.size(), prefix_.size() - prefix_size_);
  std::copy_n(bytes.begin(), count, prefix_.begin() + static_cast<std::ptrdiff_t>(prefix_size_));
  prefix_size_ += count;
  bytes.remove_prefix(count);
  if (prefix_size_ < prefix_.size()) return std::nullopt;
  message_bytes_ = big_endian(prefix_);
  if (message_bytes_ > body_bytes_max_) {
    return refuse(body_too_large(body_bytes_max_));
  }
  if (static_cast<unsigned char>(prefix_[0]) > 1) {
    return refuse({ErrorCode::kInvalid, "a gRPC message's flag byte is 0 or 1"});
  }
  body_.reserve(std::min<std::size_t>(message_bytes_, kReserveBytesMax));
  return std::nullopt;
}

std::optional<Response> RequestAssembly::append(std::string_view bytes) {
  if (body_.size() + bytes.size() > body_bytes_max_) {
    return refuse(body_too_large(body_bytes_max_));
  }
  if (!body_bytes_.is_open()) body_bytes_ = core_.budgets->bodies.open(head_.owner);
  body_bytes_.set(body_.size() + bytes.size());
  if (body_bytes_.is_over()) {
    return refuse({ErrorCode::kUnavailable, "too many bodies are being received at once"});
  }
  body_ += bytes;
  return std::nullopt;
}

Result<std::string> RequestAssembly::packing() const {
  const bool is_grpc = head_.transport == Transport::kGrpc;
  if (is_grpc && prefix_[0] == 0) return std::string();  // this message is not compressed
  std::string encoding =
      lower_case(head_.headers.get(is_grpc ? "grpc-encoding" : "content-encoding"));
  if (encoding.empty() || encoding == "identity") {
    if (!is_grpc) return std::string();
    return fail(ErrorCode::kInvalid, "a compressed message without grpc-encoding");
  }
  if (encoding == "x-gzip") return std::string("gzip");  // RFC 9110 §8.4.1.3
  // What the OpenTelemetry Collector calls so is the zlib format, as deflate is.
  if (encoding == "zlib") return std::string("deflate");
  // Remote write's snappy is no HTTP coding by RFC 9110: its handler unpacks it, with its own
  // bounds.
  if (!is_grpc && core_.handler.reads_coding(head_, encoding)) return std::string();
  return encoding;
}

Request RequestAssembly::take_request() {
  Request request;
  static_cast<RequestHead&>(request) = std::move(head_);
  request.body = std::move(body_);
  request.wire_bytes = wire_bytes_;
  return request;
}

/// Gives the request to the handler, by way of the workers where its body is large.
std::optional<Response> RequestAssembly::hand_over(SessionHost& host, std::uint64_t id,
                                                   std::string encoding) {
  // A large body would keep the loop from all its other connections, so it goes to the workers.
  // What is large is judged by bytes and by what a byte of this owner's has cost before.
  CostMeter meter(core_.body_costs, head_.owner, !encoding.empty(), body_.size(), WorkPlace::kLoop);
  bool is_large = !core_.body_costs.fits_loop(head_.owner, !encoding.empty(), body_.size());
  if (!encoding.empty() && !is_large) {
    const std::size_t bytes_max = body_bytes_max_;
    const std::size_t here_max = std::min(bytes_max, kOnLoopBytesMax);
    // Tried here up to what a loop may work on: a small packed body may unpack to a large one, and
    // nobody knows before. Then the workers begin anew, with the real limit.
    Result<std::string> plain = decompress(encoding, body_, here_max);
    is_large = !plain && plain.error().code == ErrorCode::kTooLarge && here_max < bytes_max;
    if (!plain && !is_large) {
      Response response = refuse_packed(core_, head_, plain.error(), encoding);
      meter.note();
      drop();
      return response;
    }
    if (plain) body_ = std::move(*plain);
  }
  const bool takes_gzip =
      head_.transport != Transport::kGrpc && offers_gzip(head_.headers.get("accept-encoding"));
  Responder responder(host.make_target(id, takes_gzip));
  if (is_large) {
    core_.workers.post({take_request(), std::move(encoding), std::move(responder),
                        std::move(head_bytes_), std::move(body_bytes_)});
    return std::nullopt;
  }
  // From here on the bytes are the handler's, which has its own bounds for what it keeps.
  Request request = take_request();
  head_bytes_.set(0);
  body_bytes_.set(0);
  core_.give(std::move(request), std::move(responder));
  meter.note();
  return std::nullopt;
}

std::optional<Response> RequestAssembly::finish(SessionHost& host, std::uint64_t id) {
  if (head_.transport == Transport::kGrpc &&
      (prefix_size_ < prefix_.size() || body_.size() != message_bytes_)) {
    return refuse({ErrorCode::kInvalid, "the message ends before its announced length"});
  }
  Result<std::string> encoding = packing();
  if (!encoding) return refuse(encoding.error());
  return hand_over(host, id, std::move(*encoding));
}

}  // namespace vigia::net::internal
