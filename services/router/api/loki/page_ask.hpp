// How storage is asked for a page of log records.
#pragma once

#include <memory>
#include <string>

#include "libs/model/ids.hpp"
#include "libs/net/client.hpp"
#include "services/router/access/interest.hpp"
#include "services/router/api/loki/log_page.hpp"
#include "services/router/api/loki/log_parameters.hpp"
#include "services/router/api/loki/stream_query.hpp"
#include "services/router/upstream/ask.hpp"

namespace vigia::router::api::loki {

/// Storage's own bound on a page.
inline constexpr std::size_t kPageRecordsMax = 5'000;

/// One walk: what is the same of all its pages.
struct LogWalk {
  CustomerId customer;
  StreamQuery streams;
  LogRange range;  ///< its lines, and others of the same milliseconds
  Direction direction = Direction::kBackward;
  std::shared_ptr<access::Interest> interest;
};

/// `cursor`: of the page before; "" where there is none.
upstream::Ask page_ask(const LogWalk& walk, std::size_t records, const std::string& cursor,
                       Duration left);

/// What is wrong where storage gives no page (anything but 200).
Error why_no_page(const Result<net::ClientResponse>& answer);

/// The customer alone is asked for; that a line is of it is looked at all the same, by what the
/// collector takes: a name that is empty names nobody, a foreign one is foreign beside the own.
bool is_of(const CustomerId& customer, const LogRecord& record);
Error not_as_it_should();

}  // namespace vigia::router::api::loki
