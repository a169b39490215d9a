#include "libs/net/internal/unpacker.hpp"

#include "libs/net/compression.hpp"
#include "libs/net/internal/core.hpp"

namespace vigia::net::internal {

namespace {
constexpr int kUnsupportedMediaType = 415;
}  // namespace

Response refuse_packed(ServerCore& core, const RequestHead& head, const Error& error,
                       std::string_view encoding) {
  core.requests_refused.fetch_add(1, std::memory_order_relaxed);
  Response response = core.handler.refuse(head, error);
  const bool is_known = encoding == "gzip" || encoding == "zstd" || encoding == "deflate";
  if (!is_known) {
    response.status = kUnsupportedMediaType;
    response.headers.add("accept-encoding", "gzip, zstd, deflate");
    response.grpc_code = GrpcCode::kUnimplemented;
  }
  return response;
}

bool Unpacker::post(PackedRequest& packed) {
  {
    const std::lock_guard lock(mutex_);
    if (is_stopping_ || waiting_.size() >= kWaitingMax) return false;
    waiting_.push_back(std::move(packed));
    if (!thread_.joinable()) thread_ = std::thread([this] { run(); });
  }
  changed_.notify_one();
  return true;
}

void Unpacker::stop() {
  std::deque<PackedRequest> dropped;
  {
    const std::lock_guard lock(mutex_);
    is_stopping_ = true;
    dropped.swap(waiting_);
  }
  changed_.notify_one();
  if (thread_.joinable()) thread_.join();
  for (const PackedRequest& packed : dropped) core_.buffered_bytes.fetch_sub(packed.counted);
}

void Unpacker::run() {
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [this] { return is_stopping_ || !waiting_.empty(); });
    if (is_stopping_) return;
    PackedRequest packed = std::move(waiting_.front());
    waiting_.pop_front();
    lock.unlock();
    unpack(std::move(packed));
    lock.lock();
  }
}

void Unpacker::unpack(PackedRequest packed) {
  Result<std::string> plain =
      decompress(packed.encoding, packed.request.body, core_.settings.body_bytes_max);
  packed.request.body = std::string();
  core_.buffered_bytes.fetch_sub(packed.counted, std::memory_order_relaxed);
  if (!plain) {
    packed.responder.send(refuse_packed(core_, packed.request, plain.error(), packed.encoding));
    return;
  }
  packed.request.body = std::move(*plain);
  core_.give(std::move(packed.request), std::move(packed.responder));
}

}  // namespace vigia::net::internal
