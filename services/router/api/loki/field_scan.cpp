#include "services/router/api/loki/field_scan.hpp"

#include <algorithm>
#include <charconv>
#include <utility>
#include <variant>

#include "libs/logql/pipeline/label_values.hpp"

namespace vigia::router::api::loki {
namespace {

using logql::LogSelector;
using logql::pipeline::Pipeline;

template <typename Stage>
Result<Pipeline> pipeline_of(Stage stage) {
  LogSelector selector;
  selector.stages.emplace_back(std::move(stage));
  return Pipeline::compile(selector);
}

/// Of the stages that read a line, the word that writes each.
struct ParserName {
  std::string_view operator()(const logql::JsonStage&) const { return "json"; }
  std::string_view operator()(const logql::LogfmtStage&) const { return "logfmt"; }
  std::string_view operator()(const logql::RegexpStage&) const { return "regexp"; }
  std::string_view operator()(const logql::PatternStage&) const { return "pattern"; }
  std::string_view operator()(const logql::UnpackStage&) const { return "unpack"; }
  template <typename Other>
  std::string_view operator()(const Other&) const {
    return {};
  }
};

bool is_whole_number(std::string_view value) {
  std::int64_t number = 0;
  const char* end = value.data() + value.size();
  const auto [stop, failure] = std::from_chars(value.data(), end, number);
  return failure == std::errc{} && stop == end;
}

}  // namespace

std::string_view to_string(FieldType type) {
  switch (type) {
    case FieldType::kInt:
      return "int";
    case FieldType::kFloat:
      return "float";
    case FieldType::kBoolean:
      return "boolean";
    case FieldType::kDuration:
      return "duration";
    case FieldType::kBytes:
      return "bytes";
    case FieldType::kString:
      break;
  }
  return "string";
}

FieldType type_of(std::string_view value) {
  if (is_whole_number(value)) return FieldType::kInt;
  if (logql::pipeline::number_of(value)) return FieldType::kFloat;
  if (value == "true" || value == "false") return FieldType::kBoolean;
  if (logql::pipeline::seconds_of(value)) return FieldType::kDuration;
  if (logql::pipeline::bytes_of(value)) return FieldType::kBytes;
  return FieldType::kString;
}

Result<FieldScan> FieldScan::make(const LogSelector& selector, std::size_t fields_max) {
  auto stages = Pipeline::compile(selector);
  if (!stages) return forward(stages);
  auto json = pipeline_of(logql::JsonStage{});
  if (!json) return forward(json);
  auto logfmt = pipeline_of(logql::LogfmtStage{});
  if (!logfmt) return forward(logfmt);
  FieldScan scan(std::move(*stages), std::move(*json), std::move(*logfmt));
  scan.fields_max_ = fields_max;
  for (const logql::Stage& stage : selector.stages) {
    const std::string_view name = std::visit(ParserName{}, stage);
    if (!name.empty()) scan.own_parsers_.push_back(name);
  }
  return scan;
}

FieldScan::FieldScan(Pipeline stages, Pipeline json, Pipeline logfmt)
    : stages_(std::move(stages)), json_(std::move(json)), logfmt_(std::move(logfmt)) {}

bool FieldScan::add(const logql::pipeline::StoredLine& line) {
  static const Labels kNone;
  if (!stages_.run(line)) return false;
  for (const Label& label : stages_.labels().metadata()) add_field(label.name, label.value, {});
  if (!own_parsers_.empty()) {
    for (const std::string_view parser : own_parsers_) {
      add_parsed(stages_.labels().parsed(), parser);
    }
    return true;
  }
  const std::string_view text = stages_.text();
  const bool is_object = text.find_first_not_of(" \t") != std::string_view::npos &&
                         text[text.find_first_not_of(" \t")] == '{';
  Pipeline& parser = is_object ? json_ : logfmt_;
  if (!parser.run({line.time_ns, text, &kNone, {}}) || parser.labels().has_failed()) return true;
  add_parsed(parser.labels().parsed(), is_object ? "json" : "logfmt");
  return true;
}

void FieldScan::add_parsed(const Labels& parsed, std::string_view parser) {
  for (const Label& label : parsed) {
    // Errors of a line are none of its fields.
    if (label.name.starts_with("__")) continue;
    add_field(label.name, label.value, parser);
  }
}

void FieldScan::add_field(std::string_view name, std::string_view value, std::string_view parser) {
  auto at = fields_.find(name);
  const bool is_new = at == fields_.end();
  if (is_new && (fields_.size() == fields_max_ || bytes_ + name.size() > kFieldBytesMax)) return;
  if (is_new) {
    bytes_ += name.size();
    at = fields_.emplace(std::string(name), DetectedField()).first;
  }
  DetectedField& field = at->second;
  const FieldType type = type_of(value);
  if (is_new) field.type = type;
  const auto is_number = [](FieldType one) {
    return one == FieldType::kInt || one == FieldType::kFloat;
  };
  if (field.type != type) {
    field.type = is_number(field.type) && is_number(type) ? FieldType::kFloat : FieldType::kString;
  }
  if (!parser.empty()) field.parsers.insert(parser);
  const bool has_room =
      field.values.size() < kFieldValuesMax && bytes_ + value.size() <= kFieldBytesMax;
  if (has_room && field.values.emplace(value).second) bytes_ += value.size();
}

}  // namespace vigia::router::api::loki
