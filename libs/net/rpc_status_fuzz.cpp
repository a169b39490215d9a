// Any bytes as the status details of another server: no crash, a wait within its bounds, and what
// was read, written again, reads the same.
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "libs/base/check.hpp"
#include "libs/net/rpc_status.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  namespace net = vigia::net;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const net::RpcStatus status = net::read_rpc_status(bytes);
  CHECK(status.message.size() <= size);
  if (status.retry_after) {
    CHECK(*status.retry_after >= vigia::Duration::zero());
    CHECK(*status.retry_after <= net::kRetryAfterMax);
  }
  const auto again = net::read_rpc_status(
      net::encode_rpc_status(net::GrpcCode::kUnavailable, status.message, status.retry_after));
  if (size < 4096) {  // a whole status is read to 8 KiB
    CHECK(again.message == status.message);
    CHECK(again.retry_after == status.retry_after);
  }
  return 0;
}
