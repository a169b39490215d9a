// Any bytes as what a stranger asks of the searches: an error, or a question whose cursor, written
// again, is the same. And as a row of the index of spans.
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "libs/base/bytes.hpp"
#include "libs/base/check.hpp"
#include "libs/base/crc32c.hpp"
#include "libs/base/hex.hpp"
#include "services/storage/api/trace_request.hpp"
#include "services/storage/store/rocksdb/events/span_block.hpp"

namespace {

using vigia::storage::api::decode_trace_cursor;

void check_cursor(std::string_view text) {
  const auto cursor = decode_trace_cursor(text);
  if (!cursor) return;
  const auto again = decode_trace_cursor(encode(*cursor));
  CHECK(again.has_value() && again->place == cursor->place);
  CHECK(again->customer == cursor->customer);
}

void check_block(std::string_view bytes) {
  vigia::storage::store::TraceQuery query;
  query.to_ns = UINT64_MAX;
  query.operation = "GET";
  query.tags = {{"key", "value"}};
  std::vector<vigia::storage::store::rocksdb::events::FoundTrace> found;
  const auto read = read_span_block(
      7, bytes, vigia::storage::store::rocksdb::events::SpanBlockFilter(query), found);
  CHECK(!read || found.size() <= bytes.size());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  check_cursor(text);
  std::string summed = text;  // past the sum, which no chance finds
  vigia::append_u32(summed, vigia::crc32c(text));
  check_cursor(vigia::to_hex(summed));
  const auto duration = vigia::storage::api::parse_span_duration("min_duration", text);
  CHECK(duration.has_value() || !duration.error().message.empty());
  vigia::net::Request request;
  request.method = "GET";
  request.query = text;
  const auto asked = vigia::storage::api::read_trace_request(request);
  CHECK(!asked || !asked->query.service.empty());
  (void)vigia::storage::api::read_name_request(request, vigia::storage::api::NamesOf::kOperations);
  check_block(text);
  return 0;
}
