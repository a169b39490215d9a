// Which lines of a selector pass, and what its stages make of them.
#pragma once

#include <optional>
#include <string_view>

#include "libs/base/result.hpp"
#include "libs/logql/ast.hpp"
#include "libs/logql/pipeline/pipeline.hpp"
#include "services/router/api/loki/answer.hpp"
#include "services/router/api/loki/log_page.hpp"

namespace vigia::router::api::loki {

/// A selector's stages in two parts: the line filters that stand in front need a line's text alone,
/// so that of a line that they leave out no labels are made. Movable; one thread.
class LineStages {
 public:
  /// As logql::pipeline::Pipeline::compile. Takes the stages out of the selector.
  static Result<LineStages> compile(logql::LogSelector& selector);

  /// What the stages make of a record; nothing where it does not pass. Valid until the next one.
  std::optional<AnsweredLine> run(const LogRecord& record);
  /// False: every line passes.
  bool leave_lines_out() const { return has_filters_ || rest_.has_value(); }
  /// Whether there are others than line filters.
  bool have_others() const { return rest_.has_value(); }

 private:
  explicit LineStages(logql::pipeline::Pipeline filters) : filters_(std::move(filters)) {}

  logql::pipeline::Pipeline filters_;
  std::optional<logql::pipeline::Pipeline> rest_;
  bool has_filters_ = false;
  Labels stream_;  // of the record that is run
  Labels metadata_;
};

}  // namespace vigia::router::api::loki
