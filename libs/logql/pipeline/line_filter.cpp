#include "libs/logql/pipeline/line_filter.hpp"

#include <utility>

#include "libs/logql/pipeline/find_text.hpp"

namespace vigia::logql::pipeline {
namespace {

bool is_negative(LineTest test) {
  return test == LineTest::kLacks || test == LineTest::kDoesNotMatch ||
         test == LineTest::kLacksPattern;
}

struct IsMet {
  std::string_view line;
  bool operator()(const std::string& text) const {
    return find_text(line, text) != std::string_view::npos;
  }
  bool operator()(const LineRegex& regex) const { return regex.is_in(line); }
  bool operator()(const CapturePattern& pattern) const { return pattern.is_met_by(line); }
  bool operator()(const AddressRange& range) const { return range.is_in(line); }
};

/// The value of a Result as the alternative of another one.
template <typename Wide, typename Narrow>
Result<Wide> widened(Result<Narrow> result) {
  if (!result) return forward(result);
  return Wide(std::move(*result));
}

}  // namespace

Result<CompiledLineFilter::Term> CompiledLineFilter::compile_term(LineTest test,
                                                                  const LineFilter::Term& term,
                                                                  RegexMemory& memory) {
  if (term.is_address) return widened<Term>(AddressRange::parse(term.text));
  switch (test) {
    case LineTest::kMatches:
    case LineTest::kDoesNotMatch:
      return widened<Term>(LineRegex::compile(term.text, memory));
    case LineTest::kHasPattern:
    case LineTest::kLacksPattern:
      return widened<Term>(CapturePattern::parse_filter(term.text));
    case LineTest::kContains:
    case LineTest::kLacks:
      break;
  }
  return Term(term.text);
}

Result<CompiledLineFilter> CompiledLineFilter::compile(const LineFilter& filter,
                                                       RegexMemory& memory) {
  CompiledLineFilter compiled;
  compiled.is_negative_ = is_negative(filter.test);
  for (const LineFilter::Term& term : filter.terms) {
    auto one = compile_term(filter.test, term, memory);
    if (!one) return forward(one);
    compiled.terms_.push_back(std::move(*one));
  }
  return compiled;
}

std::size_t CompiledLineFilter::work_of(const Term& term, std::size_t line_bytes) {
  const auto* regex = std::get_if<LineRegex>(&term);
  return regex != nullptr ? regex->work_of(line_bytes) : line_bytes;
}

bool CompiledLineFilter::passes(std::string_view line, LineWork& work) const {
  for (const Term& term : terms_) {
    if (!work.take(work_of(term, line.size()))) return true;
    if (std::visit(IsMet{line}, term)) return !is_negative_;
  }
  return is_negative_;
}

}  // namespace vigia::logql::pipeline
