// A selector's lines for metric queries, one after another, while storage gives them by pages.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "libs/logql/ast.hpp"
#include "libs/logql/metrics/evaluate.hpp"
#include "libs/logql/pipeline/pipeline.hpp"
#include "services/router/api/loki/page_ask.hpp"
#include "services/router/api/loki/page_fetch.hpp"
#include "services/router/stores/stores.hpp"

namespace vigia::router::api::loki {

/// Lines of a walk, in its direction, within its range to the nanosecond. Blocks while a page is on
/// its way: for a thread that may. The stores and the state must outlive it.
class LogFeed final : public logql::metrics::LineSource {
 public:
  /// The selector's first line filters are storage's, and are applied once more where a page is
  /// read: a line that a store gave all the same has no labels made of it. As
  /// logql::pipeline::Pipeline::compile.
  static Result<std::unique_ptr<LogFeed>> open(stores::Stores& stores, LogWalk walk,
                                               const logql::LogSelector& selector, FeedState& state,
                                               std::size_t page_records = kPageRecordsMax);
  LogFeed(stores::Stores& stores, LogWalk walk, logql::pipeline::Pipeline filters, FeedState& state,
          std::size_t page_records);

  /// Errors beside storage's: what the state's watch ends; kOverLimit where the customer's other
  /// answers leave no room for a page.
  Result<const logql::pipeline::StoredLine*> next() override;

 private:
  struct Line {
    std::int64_t time_ns;
    std::string text;
    Labels stream;
    Labels metadata;
  };

  Result<void> read_next();
  Result<bool> add(const LogRecord& record);

  const LogWalk walk_;
  PageFetch pages_;  // the one that was read last is counted for the lines below
  logql::pipeline::Pipeline filters_;
  FeedState& state_;
  const std::size_t page_records_;
  std::vector<Line> lines_;  // of the page
  std::size_t next_ = 0;
  std::uint64_t seen_ = 0;  // records of the page
  std::uint64_t seen_bytes_ = 0;
  logql::pipeline::StoredLine current_;
  std::string cursor_;
  bool is_at_end_ = false;
};

}  // namespace vigia::router::api::loki
