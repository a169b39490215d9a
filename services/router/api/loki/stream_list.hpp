// Which streams a customer has lines of: what labels, series and statistics are made of.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "libs/base/result.hpp"
#include "libs/base/task.hpp"
#include "libs/model/ids.hpp"
#include "libs/model/labels.hpp"
#include "services/router/access/interest.hpp"
#include "services/router/api/loki/log_parameters.hpp"
#include "services/router/api/loki/stream_query.hpp"
#include "services/router/stores/stores.hpp"

namespace vigia::router::api::loki {

struct StreamCounts {
  std::uint64_t lines = 0;
  std::uint64_t bytes = 0;  ///< of their texts
};

struct StreamList {
  std::map<Labels, StreamCounts> streams;
  std::vector<std::string> warnings;  ///< what may be missing
};

/// Adds what storage answered of one selector. kCorrupt where it is no such list.
Result<void> read_streams(const CustomerId& customer, std::string_view json, StreamList& list);

struct StreamListQuestion {
  CustomerId customer;
  std::vector<StreamQuery> selectors;  ///< streams of any of them; of several each counts once
  LogRange range;
  Duration timeout{0};  ///< of each request
  std::shared_ptr<access::Interest> interest;
};

/// Asks storage for each selector, one after another. `done` is called once, as of
/// upstream::AskedStore::fetch. The stores must outlive it, and have a long-term store.
void list_streams(stores::Stores& stores, StreamListQuestion question,
                  Task<void(Result<StreamList>)> done);

}  // namespace vigia::router::api::loki
