// A store's answer, cut into pieces: what the scanner takes, simdjson takes, and both find the same
// in it. The input's first byte is the size of the pieces.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "libs/base/check.hpp"
#include "libs/wire/prometheus_api/envelope.hpp"
#include "libs/wire/prometheus_api/envelope_scanner.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using vigia::wire::prometheus_api::Envelope;
  using vigia::wire::prometheus_api::EnvelopeScanner;
  if (size == 0) return 0;
  const std::string body(reinterpret_cast<const char*>(data) + 1, size - 1);
  const std::size_t piece = std::max<std::size_t>(data[0], 1);
  EnvelopeScanner scanner;
  EnvelopeScanner at_once;
  bool goes_on = true;
  for (std::size_t at = 0; at < body.size() && goes_on; at += piece) {
    goes_on = scanner.take(std::string_view(body).substr(at, piece));
  }
  const bool is_taken_at_once = at_once.take(body);
  const auto found = scanner.finish();
  const auto same = at_once.finish();
  CHECK(found.has_value() == (is_taken_at_once && same.has_value()));
  if (!found) return 0;
  CHECK(found->rest == same->rest && found->data == same->data && found->stats == same->stats);
  CHECK(found->rest.size() <= EnvelopeScanner::kRestBytesMax + 4);
  if (found->stats) CHECK(found->data && found->stats->end() < found->data->end());
  const auto whole = Envelope::read(body);
  const auto rest = Envelope::read(found->rest);
  // Of a plain answer what is behind its data is taken for a part of it, and read by nobody.
  const bool is_plain = body.starts_with(Envelope::kPlainStart) && body.ends_with("}}");
  if (!whole || !rest || is_plain) return 0;
  CHECK(whole->is_success() == rest->is_success());
  CHECK(whole->warnings() == rest->warnings() && whole->error() == rest->error());
  // Of a number simdjson gives the spaces behind it, too.
  if (found->data) {
    CHECK(whole->data().starts_with(
        std::string_view(body).substr(found->data->at, found->data->size)));
  }
  return 0;
}
