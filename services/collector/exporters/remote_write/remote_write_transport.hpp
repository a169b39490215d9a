// The way to a destination that takes remote write, 2.0 or 1.0.
#pragma once

#include <memory>
#include <optional>

#include "libs/base/result.hpp"
#include "libs/net/client.hpp"
#include "services/collector/delivery/parcel.hpp"
#include "services/collector/delivery/shared_requests.hpp"
#include "services/collector/exporters/http_settings.hpp"
#include "services/collector/exporters/remote_write/negotiation.hpp"

namespace vigia::collector::exporters::remote_write {

/// Messages are of 1.0, and written as 2.0 on the way out where the destination speaks it. What it
/// shows not to have understood is sent once more by 1.0, by itself or by kRetry. `client` and
/// `clock` outlive the transport and its requests; so does what `negotiation` was made of. What
/// another exporter has made of a message is taken from `requests`, which outlives the transport;
/// null: there is none.
std::unique_ptr<delivery::MessageTransport> make_transport(const HttpSettings& settings,
                                                           net::Client& client,
                                                           std::shared_ptr<Negotiation> negotiation,
                                                           const Clock& clock,
                                                           delivery::SharedRequests* requests);

/// What a remote-write destination's answer means. 2xx taken, and so is the 400 by which
/// vigia-storage says how many samples it has not stored, the rest being stored. What speaks of the
/// set-up is retried and never refuses: 401, 403, 404, 405, 407, 408, 415 and redirects, for a
/// destination that is set up wrongly says nothing about the data. 429, 502, 503, 504 and other 5xx
/// but 500 are retried too (R-RW-3). Other 4xx refuse. A 500 that begins as Prometheus' own words
/// for a sample that it will never take is a refusal (2.42); any other is kBroken. "Too far in the
/// future" (3.x: more than ten minutes by the store's clock) passes by itself and is never final.
delivery::Answer judge_remote_write(const Result<net::ClientResponse>& response);

/// The same of a 2.0 request with so many samples and histograms, of which a 400 may say that some
/// were written (R-RW-7): these are taken, and the rest is refused for good, named where the answer
/// names it. It is not searched, since what was written would be refused as out of order or double.
/// Where some of it lies too far ahead, all waits as that does.
delivery::Answer judge_remote_write_2(const Result<net::ClientResponse>& response,
                                      std::uint64_t values);

/// Samples and histograms that a response says were written; nothing where it says nothing.
std::optional<std::uint64_t> values_written(const net::ClientResponse& response);

}  // namespace vigia::collector::exporters::remote_write
