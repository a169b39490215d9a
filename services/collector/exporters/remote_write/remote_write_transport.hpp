// The way to a destination that takes remote write 1.0.
#pragma once

#include <memory>

#include "libs/base/result.hpp"
#include "libs/net/client.hpp"
#include "services/collector/delivery/parcel.hpp"
#include "services/collector/exporters/http_settings.hpp"

namespace vigia::collector::exporters::remote_write {

/// `client` outlives the transport and its requests.
std::unique_ptr<delivery::MessageTransport> make_transport(const HttpSettings& settings,
                                                           net::Client& client);

/// What a remote-write destination's answer means. 2xx taken, and so is the 400 by which
/// vigia-storage says how many samples it has not stored, the rest being stored. What speaks of the
/// set-up is retried and never refuses: 401, 403, 404, 405, 407, 408, 415 and redirects, for a
/// destination that is set up wrongly says nothing about the data. 429, 502, 503, 504 and other 5xx
/// but 500 are retried too (R-RW-3). Other 4xx refuse. A 500 that begins as Prometheus' own words
/// for a sample that it will never take is a refusal (2.42); any other is kBroken. "Too far in the
/// future" (3.x: more than ten minutes by the store's clock) passes by itself and is never final.
delivery::Answer judge_remote_write(const Result<net::ClientResponse>& response);

}  // namespace vigia::collector::exporters::remote_write
