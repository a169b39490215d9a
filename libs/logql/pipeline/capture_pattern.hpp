// Patterns with captures: `<ip> - <_> [<time>]`.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "libs/base/result.hpp"
#include "libs/logql/pipeline/find_text.hpp"

namespace vigia::logql::pipeline {

/// Texts, and between them captures; no two captures side by side. Any thread.
class CapturePattern {
 public:
  /// Of the stage `pattern`: kInvalid without a named capture, with a name twice, and with two
  /// captures side by side.
  static Result<CapturePattern> parse(std::string_view text);
  /// Of the filters |> and !>: kInvalid with a named capture, and with two side by side.
  static Result<CapturePattern> parse_filter(std::string_view text);

  /// Calls `see(name, value)` for each named capture, from the left, as far as the line meets the
  /// pattern: where a text is missing, the capture before it takes all that is left.
  template <typename See>
  void extract(std::string_view line, const See& see) const;
  /// Whether the whole line meets the pattern, each capture with one byte at least.
  bool is_met_by(std::string_view line) const;

 private:
  struct Part {
    bool is_capture = false;
    std::string text;  ///< or the capture's name; "_" is none
  };
  static Result<CapturePattern> parse_parts(std::string_view text);
  std::vector<Part> parts_;
};

template <typename See>
void CapturePattern::extract(std::string_view line, const See& see) const {
  std::size_t next = 0;
  if (!parts_.empty() && !parts_.front().is_capture) {
    if (!line.starts_with(parts_.front().text)) return;
    line.remove_prefix(parts_.front().text.size());
    next = 1;
  }
  // From here on a capture, a text, a capture …
  for (; next < parts_.size(); next += 2) {
    const Part& capture = parts_[next];
    const bool is_last = next + 1 == parts_.size();
    const std::size_t end =
        is_last ? std::string_view::npos : find_text(line, parts_[next + 1].text);
    if (capture.text != "_") see(std::string_view(capture.text), line.substr(0, end));
    if (end == std::string_view::npos) return;
    line.remove_prefix(end + parts_[next + 1].text.size());
  }
}

}  // namespace vigia::logql::pipeline
