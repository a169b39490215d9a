// Any bytes as a remote-read request, packed as they are and once more by us: an error or a request
// that, encoded again, reads the same.
#include <cstddef>
#include <cstdint>
#include <string>

#include <snappy.h>

#include "libs/base/check.hpp"
#include "libs/wire/remote_read/read_request.hpp"

namespace {

namespace remote_read = vigia::wire::remote_read;

void read(std::string_view body) {
  const auto request = remote_read::parse_read_request(body);
  if (!request.has_value()) return;
  const auto again = remote_read::parse_read_request(
      remote_read::encode_read_request(request->queries, {request->response_type}));
  CHECK(again.has_value());
  CHECK(again->queries.size() == request->queries.size());
  CHECK(again->response_type == request->response_type);
  for (std::size_t i = 0; i < again->queries.size(); ++i) {
    CHECK(again->queries[i].matchers.size() == request->queries[i].matchers.size());
    CHECK(again->queries[i].start_ms == request->queries[i].start_ms);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  read(bytes);
  std::string packed;
  snappy::Compress(bytes.data(), bytes.size(), &packed);
  read(packed);
  return 0;
}
