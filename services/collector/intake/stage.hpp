// What a request passes on its way to the log: a row of stages, each of which judges it or changes
// it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "libs/base/result.hpp"
#include "libs/model/signal.hpp"
#include "libs/net/budget.hpp"
#include "libs/series/prometheus_body.hpp"
#include "libs/tenancy/directory.hpp"
#include "services/collector/books/reasons.hpp"
#include "services/collector/intake/checked.hpp"

namespace vigia::collector::intake {

/// One Export request with a good token.
struct ExportRequest {
  Signal signal = Signal::kMetrics;
  std::string_view transport;  ///< "grpc", "http" or "remote_write"; a literal
  std::string body;            ///< Export…ServiceRequest, protobuf
  /// The body is OTLP/JSON: it becomes protobuf only once its customer may send it.
  bool is_json = false;
  std::size_t sent_bytes = 0;  ///< of the body as it was sent, unpacked; set by intake
  /// The body is remote write, one snappy block: it too becomes an Export…ServiceRequest only then.
  std::optional<series::WriteVersion> remote_write = std::nullopt;
  /// Nobody has counted its items yet, or could at the price of a look.
  bool is_unread() const { return is_json || remote_write.has_value(); }
};

/// Conditions and statements of a processor that could not be run for an item of the request.
struct ProcessorFaults {
  std::string_view processor;  ///< its id; outlives the request
  std::uint64_t faults = 0;
  std::string first;  ///< what it was, for the log; empty: nobody wants to read of it
};

/// A request on its way. The customer was told by the token, and no stage can change it.
struct Batch {
  const tenancy::Customer& customer;
  ExportRequest request;
  /// Verdicts of the items as they stand in the body: no stage behind the check moves one.
  Checked checked = {};
  /// Items that processors have taken out: they are in no verdict.
  std::uint64_t filtered = 0;
  std::vector<ProcessorFaults> faults = {};  ///< one of each processor that had any
  net::Holding held = {};  ///< of the customer's share of what remote write becomes in memory
};

/// A request is refused as a whole.
struct Refusal {
  Error error;
  std::optional<books::RequestReason> reason = std::nullopt;  ///< nothing: it is not booked
  std::uint64_t items = 0;  ///< so many of it, where nobody has counted all of them
  /// It is charged all the same, for the work that it was.
  bool is_fined = false;
};

/// In order: rate and shares before any item is judged, JSON into protobuf, processors, the check
/// of each item, the clock, the charge for what was found, times. A processor stands before the
/// check, so that what it makes of the body is what is judged, charged, logged and told the sender
/// (docs/decisions/0012-processors-stand-before-the-log.md). Thread contract: any thread, several
/// at once; never waits.
class Stage {
 public:
  virtual ~Stage() = default;
  /// Nothing where the batch goes on.
  virtual std::optional<Refusal> accept(Batch& batch) = 0;
};

}  // namespace vigia::collector::intake
