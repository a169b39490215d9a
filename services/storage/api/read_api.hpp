// POST /api/v1/read: Prometheus remote read.
#pragma once

#include "libs/net/server.hpp"
#include "services/storage/read/remote_read.hpp"

namespace vigia::storage {

/// With X-Vigia-Customer the answer holds that customer's series alone, whatever the matchers say.
/// Thread contract: any thread that may block.
class ReadApi {
 public:
  explicit ReadApi(const RemoteRead& remote_read) : remote_read_(remote_read) {}
  net::Response handle(const net::Request& request) const;

 private:
  const RemoteRead& remote_read_;
};

}  // namespace vigia::storage
