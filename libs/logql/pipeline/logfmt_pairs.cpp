#include "libs/logql/pipeline/logfmt_pairs.hpp"

#include <fmt/format.h>

#include "libs/promql/text.hpp"

namespace vigia::logql::pipeline {

LogfmtPairs::PairStep LogfmtPairs::next() {
  value_ = {};
  while (at_ < line_.size() && is_at_blank(at_)) ++at_;
  if (at_ == line_.size()) return PairStep::kEnd;
  const std::size_t begin = at_;
  while (!is_at_blank(at_) && line_[at_] != '=' && line_[at_] != '"') ++at_;
  key_ = line_.substr(begin, at_ - begin);
  if (is_at_blank(at_)) return PairStep::kPair;
  if (line_[at_] == '"') return bad("a quote in a key", at_);
  if (key_.empty()) return bad("a value without a key", at_);
  ++at_;
  return read_value();
}

LogfmtPairs::PairStep LogfmtPairs::read_value() {
  if (is_at_blank(at_)) return PairStep::kPair;
  if (line_[at_] == '"') return read_quoted();
  const std::size_t begin = at_;
  while (!is_at_blank(at_) && line_[at_] != '=' && line_[at_] != '"') ++at_;
  if (!is_at_blank(at_)) return bad("= or a quote in a value without quotes", at_);
  value_ = line_.substr(begin, at_ - begin);
  return PairStep::kPair;
}

LogfmtPairs::PairStep LogfmtPairs::read_quoted() {
  const std::size_t begin = at_++;
  bool has_escape = false;
  while (at_ < line_.size() && line_[at_] != '"') {
    has_escape = has_escape || line_[at_] == '\\';
    at_ += line_[at_] == '\\' ? 2 : 1;
  }
  if (at_ >= line_.size()) {
    at_ = line_.size();
    return bad("a quote that nothing closes", begin);
  }
  ++at_;
  value_ = line_.substr(begin + 1, at_ - begin - 2);
  if (!has_escape) return PairStep::kPair;
  auto unquoted = promql::unquote(line_.substr(begin, at_ - begin));
  if (!unquoted) return bad("an escape that nobody knows", begin);
  unquoted_ = std::move(*unquoted);
  value_ = unquoted_;
  return PairStep::kPair;
}

LogfmtPairs::PairStep LogfmtPairs::bad(std::string_view why, std::size_t at) {
  why_ = why;
  fault_at_ = at;
  while (!is_at_blank(at_)) ++at_;
  return PairStep::kBad;
}

std::string LogfmtPairs::fault() const {
  return fmt::format("logfmt syntax error at pos {} : {}", fault_at_ + 1, why_);
}

}  // namespace vigia::logql::pipeline
