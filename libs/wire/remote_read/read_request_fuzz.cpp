// Any bytes as a remote-read request: an error or a request that, encoded again, reads the same.
#include <cstddef>
#include <cstdint>

#include "libs/base/check.hpp"
#include "libs/wire/remote_read/read_request.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  namespace remote_read = vigia::wire::remote_read;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const auto request = remote_read::parse_read_request(bytes);
  if (!request.has_value()) return 0;
  const auto again = remote_read::parse_read_request(
      remote_read::encode_read_request(request->queries, {request->response_type}));
  CHECK(again.has_value());
  CHECK(again->queries.size() == request->queries.size());
  CHECK(again->response_type == request->response_type);
  for (std::size_t i = 0; i < again->queries.size(); ++i) {
    CHECK(again->queries[i].matchers.size() == request->queries[i].matchers.size());
    CHECK(again->queries[i].start_ms == request->queries[i].start_ms);
  }
  return 0;
}
