#include "services/collector/bodies/log_body.hpp"

#include "libs/net/compression.hpp"

namespace vigia::collector::bodies {
namespace {

constexpr std::size_t kBodyBytesMax = 64U << 20U;  // as intake's limit

}  // namespace

Result<std::string> unpack_body(disk_log::BodyEncoding encoding, std::string_view stored) {
  switch (encoding) {
    case disk_log::BodyEncoding::kGzip:
      return net::decompress("gzip", stored, kBodyBytesMax);
    case disk_log::BodyEncoding::kZstd:
      return net::decompress("zstd", stored, kBodyBytesMax);
    case disk_log::BodyEncoding::kPlain:
      return std::string(stored);
    case disk_log::BodyEncoding::kSnappy:
      break;
  }
  return fail(ErrorCode::kCorrupt, "a body in an encoding that no OTLP sender uses");
}

Result<void> LogBody::open() {
  if (encoding == disk_log::BodyEncoding::kPlain) return {};
  auto plain = unpack_body(encoding, as_stored());
  if (!plain) return forward(plain);
  unpacked = *std::move(plain);
  return {};
}

}  // namespace vigia::collector::bodies
