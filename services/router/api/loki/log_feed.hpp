// A selector's lines for metric queries, one after another, while storage gives them by pages.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "libs/logql/ast.hpp"
#include "libs/logql/metrics/evaluate.hpp"
#include "libs/logql/pipeline/pipeline.hpp"
#include "services/router/access/byte_shares.hpp"
#include "services/router/api/loki/page_ask.hpp"
#include "services/router/api/loki/work_watch.hpp"
#include "services/router/stores/stores.hpp"

namespace vigia::router::api::loki {

/// What the feeds of one query have read together.
struct FeedState {
  /// What ends the query now, or with a line more: access::over_limit's error or kInvalid, with how
  /// far it came and what helps; kDeadline where its client has left.
  Result<void> look() { return go_on(watch.look()); }
  Result<void> look_at_line(std::size_t bytes) { return go_on(watch.look_at_line(bytes)); }
  /// The error of that end, which is not the client's.
  Error too_much(WorkEnd end) const { return watch.too_much(end, sentence_of(end)); }
  /// The query took too long, and not by its own time.
  Error too_slow() const { return {ErrorCode::kInvalid, sentence_of(WorkEnd::kTime)}; }

  WorkWatch watch;
  std::vector<std::string> warnings = {};

 private:
  Result<void> go_on(WorkEnd end) const;
  std::string sentence_of(WorkEnd end) const;
};

/// Lines of a walk forward, within its range to the nanosecond. Blocks while a page is on its way:
/// for a thread that may. The stores and the state must outlive it.
class LogFeed final : public logql::metrics::LineSource {
 public:
  /// The selector's first line filters are applied where a page is read: of a line that they leave
  /// out no labels are made. As logql::pipeline::Pipeline::compile.
  static Result<std::unique_ptr<LogFeed>> open(stores::Stores& stores, LogWalk walk,
                                               const logql::LogSelector& selector,
                                               FeedState& state);
  LogFeed(stores::Stores& stores, LogWalk walk, logql::pipeline::Pipeline filters,
          FeedState& state);

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

  stores::Stores& stores_;
  const LogWalk walk_;
  logql::pipeline::Pipeline filters_;
  FeedState& state_;
  std::optional<access::ByteShares::HeldBytes> held_;  // for the lines below
  std::vector<Line> lines_;                            // of the page
  std::size_t next_ = 0;
  logql::pipeline::StoredLine current_;
  std::string cursor_;
  bool is_at_end_ = false;
};

}  // namespace vigia::router::api::loki
