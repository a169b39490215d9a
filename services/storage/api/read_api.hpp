// POST /api/v1/read: Prometheus remote read.
#pragma once

#include <atomic>
#include <memory>

#include "libs/net/server.hpp"
#include "services/storage/api/answer_stream.hpp"
#include "services/storage/read/remote_read.hpp"

namespace vigia::storage::api {

/// Of one request, for as long as its answer is made.
struct ReadWork {
  std::shared_ptr<const store::WorkLimit> limit;
  std::shared_ptr<std::atomic<bool>> gone;  ///< what ends the limit: the client's going
  AnswerStream::GoOn go_on;
};

/// With X-Vigia-Customer the answer holds that customer's series alone, whatever the matchers say.
/// Thread contract: any thread that may block.
class ReadApi {
 public:
  explicit ReadApi(const read::RemoteRead& remote_read) : remote_read_(remote_read) {}
  /// Whose turn the request uses: the header's, else the customer that its queries ask for (the
  /// router's come through a Prometheus, which sends no header), else "", or one of its own where
  /// they name several.
  static std::string customer_of(const net::Request& request);
  net::Response handle(const net::Request& request, const ReadWork& work) const;

 private:
  const read::RemoteRead& remote_read_;
};

}  // namespace vigia::storage::api
