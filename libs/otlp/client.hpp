// Sends OTLP export requests to one endpoint, over gRPC or HTTP.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "libs/base/task.hpp"
#include "libs/model/signal.hpp"
#include "libs/net/client.hpp"
#include "libs/otlp/answer.hpp"

namespace vigia::otlp {

enum class Protocol : std::uint8_t { kGrpc, kHttp };

struct ExportSettings {
  std::string endpoint;  ///< "https://collector.example:4317"; slashes at its end are cut off
  Protocol protocol = Protocol::kGrpc;
  std::string compression;  ///< "gzip", "zstd" or "" for none
  net::Headers headers;     ///< of every request, such as the token's
  Duration timeout = std::chrono::seconds(10);
  std::optional<net::TlsClientSettings> tls;
};

/// Thread contract: any thread.
class ExportClient {
 public:
  /// `date` is the answer's own; "" where it has none, or there was no answer.
  using Done = Task<void(ExportAnswer answer, std::string_view date)>;

  /// `client` outlives this, or is closed before; answers that come later are still told.
  ExportClient(ExportSettings settings, net::Client& client);

  /// Sends a whole export request, `headers` beside those of the settings. `done` is called once,
  /// as net::Client calls its own, or at once where the body could not be packed.
  /// Where the other side does not know the compression, the next requests go with a simpler one,
  /// zstd, gzip, none, for the rest of the run: it will not learn it, and each try costs a request.
  /// The answer then is kLater with `is_encoding_unknown`, and `can_try_again` is true.
  void send(Signal signal, std::string_view body, const net::Headers& headers, Done done);

 private:
  struct Compression;  // shared with the callbacks, which may come after the end of this
  net::ClientRequest request_to(std::string_view path, const net::Headers& headers) const;
  void send_grpc(Signal signal, std::string_view body, const net::Headers& headers, Done done);
  void send_http(Signal signal, std::string_view body, const net::Headers& headers, Done done);

  const ExportSettings settings_;
  net::Client& client_;
  std::shared_ptr<Compression> compression_;
};

}  // namespace vigia::otlp
