#include "libs/net/internal/grpc_exchange.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "libs/base/fault.hpp"
#include "libs/net/compression.hpp"
#include "libs/net/internal/grpc_trailers.hpp"
#include "libs/net/status.hpp"

namespace vigia::net::internal {
namespace {

constexpr std::size_t kPrefixBytes = 5;

std::size_t announced_bytes(std::string_view prefix) {
  std::size_t size = 0;
  for (std::size_t i = 1; i < kPrefixBytes; ++i)
    size = size << 8U | static_cast<unsigned char>(prefix[i]);
  return size;
}

}  // namespace

GrpcExchange::GrpcExchange(std::unique_ptr<GrpcTalk> talk, std::string coding,
                           std::size_t message_bytes_max, Holding pending)
    : talk_(std::move(talk)),
      coding_(std::move(coding)),
      message_bytes_max_(message_bytes_max),
      held_(std::move(pending)) {}

void GrpcExchange::take(std::string_view bytes) {
  if (is_over()) return;
  if (pending_.size() + bytes.size() > std::max(kPendingBytes, message_bytes_max_ + kPrefixBytes)) {
    end({ErrorCode::kTooLarge, "too many messages at once: read their answers first"});
    return;
  }
  held_.set(pending_.size() + bytes.size());
  if (held_.is_over()) {
    end({ErrorCode::kUnavailable, "too many bodies are being received at once"});
    return;
  }
  pending_ += bytes;
}

void GrpcExchange::end(Error fault) {
  if (is_over()) return;
  fault_ = std::move(fault);
  std::string().swap(pending_);
  held_.set(0);
}

std::optional<std::string> GrpcExchange::next() {
  if (is_over()) return "";
  Result<std::optional<std::string>> message = next_message();
  if (message && !*message) {
    if (!is_ended_) return std::nullopt;
    if (!pending_.empty())
      end({ErrorCode::kInvalid, "the message ends before its announced length"});
    return "";
  }
  Result<std::string> answer = fail(ErrorCode::kInternal, "a message could not be answered");
  if (!message) {
    answer = forward(message);
  } else {
    contain_faults("a message of a call", [&] { answer = talk_->answer(**message); });
  }
  if (!answer) {
    end(answer.error());
    return "";
  }
  return grpc_prefix(answer->size(), false) + *answer;
}

Result<std::optional<std::string>> GrpcExchange::next_message() {
  if (pending_.size() < kPrefixBytes) return std::nullopt;
  const std::size_t size = announced_bytes(pending_);
  const auto flag = static_cast<unsigned char>(pending_[0]);
  if (size > message_bytes_max_)
    return fail(ErrorCode::kTooLarge,
                fmt::format("a message is larger than {} bytes", message_bytes_max_));
  if (flag > 1) return fail(ErrorCode::kInvalid, "a gRPC message's flag byte is 0 or 1");
  if (flag == 1 && (coding_.empty() || coding_ == "identity"))
    return fail(ErrorCode::kInvalid, "a compressed message without grpc-encoding");
  if (pending_.size() < kPrefixBytes + size) return std::nullopt;
  std::string message = pending_.substr(kPrefixBytes, size);
  pending_.erase(0, kPrefixBytes + size);
  held_.set(pending_.size());
  if (flag == 0) return message;
  Result<std::string> plain = decompress(coding_, message, message_bytes_max_);
  if (!plain) return forward(plain);
  return std::move(*plain);
}

void GrpcExchange::write_status(Response& response) const {
  if (!fault_) return;
  response.grpc_code = grpc_code(fault_->code);
  response.grpc_message = fault_->message;
}

}  // namespace vigia::net::internal
