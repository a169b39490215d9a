// An answer of which a part lies in a file, on its way to its client.
#pragma once

#include <string>
#include <vector>

#include "libs/net/message.hpp"
#include "libs/wire/prometheus_api/envelope.hpp"

namespace vigia::router::spool {

/// What is sent: `head`, those bytes of what is stored, `tail`.
struct BodyParts {
  std::string head;
  std::shared_ptr<const wire::prometheus_api::StoredBytes> bytes;
  std::vector<wire::prometheus_api::ByteRange> ranges;
  std::string tail;
};

/// Sets the response's stream, of pieces of 64 KiB at the most that are read when their client
/// keeps up, and the same compressed for clients that take that. Several responses may be made of
/// the same bytes. Where they cannot be read any more the stream breaks off, which its client sees.
void send_stored(net::Response& response, BodyParts body);

}  // namespace vigia::router::spool
