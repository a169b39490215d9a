#include "services/router/api/loki/line_filters.hpp"

#include <algorithm>
#include <string>
#include <utility>
#include <variant>

#include <fmt/format.h>
#include <re2/re2.h>

namespace vigia::router::api::loki {
namespace {

using logql::LineTest;

bool is_positive(LineTest test) {
  return test == LineTest::kContains || test == LineTest::kMatches;
}
bool is_regex(LineTest test) {
  return test == LineTest::kMatches || test == LineTest::kDoesNotMatch;
}

}  // namespace

/// `|= "a" or "b"`.
class LineFilters::Filter {
 public:
  static Result<std::unique_ptr<const Filter>> make(const logql::LineFilter& from) {
    auto made = std::make_unique<Filter>();
    made->is_positive_ = is_positive(from.test);
    for (const auto& term : from.terms) {
      if (term.is_address) return fail(ErrorCode::kInvalid, "ip(…) in line filters is not served");
      if (!is_regex(from.test)) {
        made->texts_.push_back(term.text);
        continue;
      }
      re2::RE2::Options options;
      options.set_log_errors(false);
      auto regex = std::make_unique<const re2::RE2>(term.text, options);
      if (!regex->ok()) {
        return fail(ErrorCode::kInvalid, "parse error: a line filter's expression cannot be read");
      }
      made->regexes_.push_back(std::move(regex));
    }
    return std::unique_ptr<const Filter>(std::move(made));
  }

  bool passes(std::string_view line) const {
    const bool has_text = std::any_of(texts_.begin(), texts_.end(), [&](const std::string& text) {
      return line.find(text) != std::string_view::npos;
    });
    const re2::StringPiece piece(line.data(), line.size());
    const bool has_any =
        has_text || std::any_of(regexes_.begin(), regexes_.end(), [&](const auto& regex) {
          return re2::RE2::PartialMatch(piece, *regex);
        });
    return has_any == is_positive_;
  }

 private:
  bool is_positive_ = true;
  std::vector<std::string> texts_;
  std::vector<std::unique_ptr<const re2::RE2>> regexes_;
};

LineFilters::LineFilters() = default;
LineFilters::LineFilters(LineFilters&&) noexcept = default;
LineFilters& LineFilters::operator=(LineFilters&&) noexcept = default;
LineFilters::~LineFilters() = default;

Result<LineFilters> LineFilters::compile(const logql::LogSelector& selector) {
  LineFilters filters;
  for (const logql::Stage& stage : selector.stages) {
    const auto* filter = std::get_if<logql::LineFilter>(&stage);
    const bool is_pattern = filter != nullptr && (filter->test == LineTest::kHasPattern ||
                                                  filter->test == LineTest::kLacksPattern);
    if (filter == nullptr || is_pattern) {
      return fail(ErrorCode::kInvalid,
                  "of the stages of a query |=, !=, |~ and !~ are served so far: parsers, label "
                  "filters and formats are not");
    }
    auto made = Filter::make(*filter);
    if (!made) return forward(made);
    filters.filters_.push_back(std::move(*made));
  }
  return filters;
}

bool LineFilters::pass(std::string_view line) const {
  return std::all_of(filters_.begin(), filters_.end(),
                     [&](const auto& filter) { return filter->passes(line); });
}

}  // namespace vigia::router::api::loki
