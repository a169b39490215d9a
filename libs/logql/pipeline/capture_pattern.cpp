#include "libs/logql/pipeline/capture_pattern.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "libs/promql/text.hpp"

namespace vigia::logql::pipeline {
namespace {

tl::unexpected<Error> bad_pattern(std::string_view text, std::string_view why) {
  return fail(ErrorCode::kInvalid, fmt::format("parse error: the pattern {:.200}: {}", text, why));
}

/// The name of a capture at the front of `text`, "" where there is none.
std::string_view capture_at(std::string_view text) {
  const std::size_t end = text.find('>');
  if (!text.starts_with('<') || end == std::string_view::npos) return {};
  const std::string_view name = text.substr(1, end - 1);
  return promql::is_label_name(name) ? name : std::string_view();
}

}  // namespace

Result<CapturePattern> CapturePattern::parse_parts(std::string_view text) {
  CapturePattern pattern;
  std::string_view rest = text;
  while (!rest.empty()) {
    const std::string_view name = capture_at(rest);
    auto& parts = pattern.parts_;
    if (!name.empty()) {
      if (!parts.empty() && parts.back().is_capture) {
        return bad_pattern(text, "two captures side by side");
      }
      parts.push_back(Part{true, std::string(name)});
      rest.remove_prefix(name.size() + 2);
      continue;
    }
    if (parts.empty() || parts.back().is_capture) parts.push_back(Part{false, {}});
    parts.back().text += rest.front();
    rest.remove_prefix(1);
  }
  return pattern;
}

Result<CapturePattern> CapturePattern::parse(std::string_view text) {
  auto pattern = parse_parts(text);
  if (!pattern) return forward(pattern);
  std::vector<std::string_view> names;
  for (const Part& part : pattern->parts_) {
    if (part.is_capture && part.text != "_") names.push_back(part.text);
  }
  if (names.empty()) return bad_pattern(text, "at least one named capture is needed");
  std::sort(names.begin(), names.end());
  const auto twice = std::adjacent_find(names.begin(), names.end());
  if (twice != names.end()) return bad_pattern(text, fmt::format("{:.64} stands twice", *twice));
  return pattern;
}

Result<CapturePattern> CapturePattern::parse_filter(std::string_view text) {
  auto pattern = parse_parts(text);
  if (!pattern) return forward(pattern);
  for (const Part& part : pattern->parts_) {
    if (part.is_capture && part.text != "_") {
      return bad_pattern(text, "a filter has no named captures, write <_>");
    }
  }
  return pattern;
}

bool CapturePattern::is_met_by(std::string_view line) const {
  if (line.empty() || parts_.empty()) return line.empty() && parts_.empty();
  for (std::size_t i = 0; i < parts_.size(); ++i) {
    const Part& part = parts_[i];
    if (part.is_capture) continue;
    const std::size_t at = find_text(line, part.text);
    // The first text stands at the front; before every other there was a capture of something.
    if (at == std::string_view::npos || (i == 0) != (at == 0)) return false;
    line.remove_prefix(at + part.text.size());
  }
  return parts_.back().is_capture != line.empty();
}

}  // namespace vigia::logql::pipeline
