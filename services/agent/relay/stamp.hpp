// Puts customer and node on every resource of what applications send, whatever they say themselves.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "libs/base/result.hpp"
#include "libs/model/signal.hpp"
#include "services/agent/host/identity.hpp"

namespace vigia::agent::relay {

/// What an export request holds, as far as the relay has to know.
struct RequestContents {
  std::uint32_t items = 0;
  bool has_deltas = false;             ///< sums or histograms that count since the last report
  bool has_request_durations = false;  ///< of an HTTP server
};

/// kInvalid where the bytes are no export request of that signal.
Result<RequestContents> inspect_request(Signal signal, std::string_view body);

/// Attributes that are put on resources: whose data it is and from where (host::node_attributes).
/// Thread contract: any thread.
class ResourceStamp {
 public:
  explicit ResourceStamp(const std::vector<host::ResourceAttribute>& attributes);

  /// The request with our attributes on each resource, in place of any attribute whose Prometheus
  /// label would be one of ours ("customer-id", "customer_id", …). Nothing else is decoded or
  /// changed. REQUIRES: inspect_request has passed it.
  std::string apply(std::string_view body) const;
  /// What `apply` makes of it has no more bytes. REQUIRES: as apply.
  std::size_t stamped_bytes_max(std::string_view body) const;

 private:
  bool is_ours(std::string_view key) const;
  std::string stamp_resource(std::string_view resource) const;
  std::string stamp_envelope(std::string_view envelope) const;

  std::vector<std::string> labels_;  // what our keys become in Prometheus
  std::string encoded_;              // our attributes, as fields of a Resource
};

}  // namespace vigia::agent::relay
