// Which streams a customer has lines of: what labels, series and statistics are made of.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "libs/base/result.hpp"
#include "libs/base/task.hpp"
#include "libs/model/ids.hpp"
#include "libs/model/labels.hpp"
#include "services/router/access/interest.hpp"
#include "services/router/api/loki/log_page.hpp"
#include "services/router/api/loki/log_parameters.hpp"
#include "services/router/api/loki/page_ask.hpp"
#include "services/router/api/loki/query_threads.hpp"
#include "services/router/api/loki/stream_cache.hpp"
#include "services/router/api/loki/stream_query.hpp"
#include "services/router/stores/stores.hpp"

namespace vigia::router::api::loki {

struct StreamCounts : LineAmounts {
  std::map<std::uint64_t, LineAmounts> windows;  ///< by their numbers, where they are asked for
};

struct StreamList {
  std::map<Labels, StreamCounts> streams;
  std::vector<std::string> warnings;  ///< what may be missing

  void warn(const std::string& warning);  ///< once
};

/// Adds a page of what storage answered of one selector. kCorrupt where it is no such list.
Result<PageEnd> read_streams(const CustomerId& customer, std::string_view json, StreamList& list);

struct StreamListQuestion {
  CustomerId customer;
  std::string payer;                   ///< of its turns
  std::vector<StreamQuery> selectors;  ///< streams of any of them; of several each counts once
  LogRange range;
  std::optional<CountWindows> windows = std::nullopt;
  Duration timeout{0};  ///< of each request
  std::shared_ptr<access::Interest> interest;
};

/// What a list takes at the longest, and streams that it has, but for those of its last page; a
/// warning says where that was not all.
inline constexpr std::chrono::seconds kListTimeMax{10};
inline constexpr std::size_t kListStreamsMax = 10'000;

/// All must outlive the list; the stores have a long-term store.
struct ListParts {
  stores::Stores& stores;
  StreamCache& cache;
  QueryThreads& threads;
};

/// Asks storage for each selector, one after another, page by page, the last lines first. What is
/// known of stretches that are over is not asked again, but of questions by windows. What it costs
/// is worked on one of the threads, in the payer's turns; `done` is called once, there or as of
/// upstream::AskedStore::fetch.
void list_streams(const ListParts& parts, StreamListQuestion question,
                  Task<void(Result<StreamList>)> done);

}  // namespace vigia::router::api::loki
