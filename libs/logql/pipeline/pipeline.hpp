// Runs the stages of a selector over lines.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "libs/base/result.hpp"
#include "libs/logql/ast.hpp"
#include "libs/logql/pipeline/line_labels.hpp"

namespace vigia::logql::pipeline {

/// One line as it is stored. What it points to must stay until the next line is run.
struct StoredLine {
  std::int64_t time_ns = 0;
  std::string_view text;
  const Labels* stream = nullptr;   ///< never null
  std::span<const Label> metadata;  ///< structured metadata; names as label_name_of() makes them
};

/// The stages of one selector, compiled once for all lines of a request. What cannot be read of a
/// line never costs the line: it passes with __error__ and __error_details__, as Loki has it.
/// Movable; one thread.
class Pipeline {
 public:
  /// kInvalid "parse error: …" on a stage that cannot be run: a template with what
  /// line_template.hpp does not list, a regexp or pattern without a named capture, a bad path or
  /// address; kTooLarge where the regexes of templates pass the allowance. To be called before any
  /// store is asked.
  static Result<Pipeline> compile(const LogSelector& selector);
  Pipeline(Pipeline&&) noexcept;
  Pipeline& operator=(Pipeline&&) noexcept;
  ~Pipeline();

  /// Whether the line passes all stages. The matchers of the selector are the store's matter.
  bool run(const StoredLine& line);
  /// Of the line that was run last, if it passed; until the next one.
  std::string_view text() const;
  const LineLabels& labels() const;
  /// Of a selector with unwrap, of the line that passed last: the value of its label. Nothing where
  /// the line has not that label. One that is no number is 0, with __error__.
  std::optional<double> sample() const;

 private:
  struct Parts;
  explicit Pipeline(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

}  // namespace vigia::logql::pipeline
