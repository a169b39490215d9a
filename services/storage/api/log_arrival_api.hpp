// How far a customer's log records have come: for whoever follows them.
#pragma once

#include "libs/net/message.hpp"
#include "services/storage/store/events.hpp"

namespace vigia::storage::api {

/// GET /api/v1/logs/arrivals?after=NUMBER, of the customer of X-Vigia-Customer (else 400).
/// {"status":"success","data":{"upto":"1764043200000","times":[["FROM_NS","TO_NS"],…]}}: what came
/// up to `upto` can be read, and nothing more will come there; where in time what came behind
/// `after` lies (no `after`: none). /api/v1/logs?arrived_after=AFTER&arrived_upto=UPTO gives it.
/// Looks at no record. 400 where the store does not know (EventStore::log_arrivals).
net::Response log_arrivals(store::EventStore& events, const net::Request& request);

}  // namespace vigia::storage::api
