// Lines that storage counts for a metric query.
#pragma once

#include <functional>

#include "libs/base/result.hpp"
#include "libs/logql/metrics/evaluate.hpp"
#include "services/router/api/loki/page_ask.hpp"
#include "services/router/api/loki/page_fetch.hpp"
#include "services/router/stores/stores.hpp"

namespace vigia::router::api::loki {

/// logql::metrics::CountLines, of the walk's customer, streams, filters and range (its range is the
/// ask's). False where the ask's labels may stand in what a line says itself, where storage
/// finds that lines have them, and where it is of an earlier program that does not count so.
/// Blocks, page by page; errors as PageFetch's. Of streams storage tells the labels that
/// stream_labels makes.
Result<bool> count_lines(
    stores::Stores& stores, const LogWalk& walk, const logql::metrics::CountAsk& ask,
    FeedState& state, const std::function<Result<void>(const logql::metrics::CountedLines&)>& take);

}  // namespace vigia::router::api::loki
