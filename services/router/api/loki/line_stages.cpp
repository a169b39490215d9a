#include "services/router/api/loki/line_stages.hpp"

#include <algorithm>
#include <iterator>
#include <span>
#include <utility>
#include <variant>

#include "services/router/api/loki/log_labels.hpp"

namespace vigia::router::api::loki {
namespace {

using logql::pipeline::Pipeline;

bool is_no_line_filter(const logql::Stage& stage) {
  return !std::holds_alternative<logql::LineFilter>(stage);
}

}  // namespace

Result<LineStages> LineStages::compile(logql::LogSelector& selector) {
  auto& stages = selector.stages;
  const auto first = std::find_if(stages.begin(), stages.end(), is_no_line_filter);
  logql::LogSelector rest;
  std::move(first, stages.end(), std::back_inserter(rest.stages));
  stages.erase(first, stages.end());
  auto filters = Pipeline::compile(selector);
  if (!filters) return forward(filters);
  LineStages made(std::move(*filters));
  made.has_filters_ = !stages.empty();
  if (rest.stages.empty()) return made;
  auto compiled = Pipeline::compile(rest);
  if (!compiled) return forward(compiled);
  made.rest_.emplace(std::move(*compiled));
  return made;
}

std::optional<AnsweredLine> LineStages::run(const LogRecord& record) {
  static const Labels kNone;
  if (!filters_.run({record.time_ns, record.body, &kNone, {}})) return std::nullopt;
  stream_ = stream_labels(record);
  metadata_ = structured_metadata(record);
  const auto& of_filters = filters_.labels();
  if (of_filters.has_failed()) {
    // Too little work was left for all of them: the line passes, and says so.
    for (const Label& label : of_filters.parsed()) metadata_.set(label.name, label.value);
  }
  if (!rest_) {
    if (!of_filters.has_failed())
      return AnsweredLine{record.time_ns, record.body, stream_, metadata_};
    return AnsweredLine{record.time_ns, record.body, stream_, metadata_, of_filters.parsed()};
  }
  const std::span<const Label> metadata(metadata_.begin(), metadata_.end());
  if (!rest_->run({record.time_ns, record.body, &stream_, metadata})) return std::nullopt;
  const auto& labels = rest_->labels();
  return AnsweredLine{record.time_ns, rest_->text(), labels.stream(), labels.metadata(),
                      labels.parsed()};
}

}  // namespace vigia::router::api::loki
