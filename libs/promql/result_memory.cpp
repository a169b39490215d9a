#include "libs/promql/result_memory.hpp"

#include <algorithm>
#include <limits>
#include <optional>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "libs/promql/labels_made.hpp"
#include "libs/promql/visit.hpp"

namespace vigia::promql {
namespace {

constexpr std::uint64_t kMost = std::numeric_limits<std::uint64_t>::max();
// promql/engine.go of 3.x: maxPointsSliceSize, and a point of two words; of 2.42, of three.
constexpr std::uint64_t kStepsWithRoomMax = 5'000;
constexpr std::uint64_t kPointBytes3 = 16;
constexpr std::uint64_t kPointBytes2 = 24;
// A series beside its steps and labels: itself, its place in maps and vectors, a signature.
constexpr std::uint64_t kSeriesBytes = 512;
// The value that count_values makes a label of.
constexpr std::uint64_t kValueBytes = 64;
// 3.x: what selectors read shares its room, so that twice --query.max-samples is the most.
constexpr std::uint64_t kDenseBytesMax = 2 * 5'000'000 * kPointBytes3;
constexpr Duration kUsualStep = std::chrono::seconds(15);  // the hot store's evaluation interval

std::uint64_t plus(std::uint64_t left, std::uint64_t right) {
  return right > kMost - left ? kMost : left + right;
}

std::uint64_t times(std::uint64_t left, std::uint64_t right) {
  return right != 0 && left > kMost / right ? kMost : left * right;
}

bool contains(const std::vector<std::string>& labels, std::string_view name) {
  return std::find(labels.begin(), labels.end(), name) != labels.end();
}

/// For many look-ups: a query may name thousands of labels several times.
class NameSet {
 public:
  explicit NameSet(const std::vector<std::string>& labels) : all_(labels.begin(), labels.end()) {}
  bool contain(std::string_view name) const { return all_.contains(name); }

 private:
  std::unordered_set<std::string_view> all_;
};

bool is_text(const Expr& expr) { return expr.type == ValueType::kString; }

bool is_of_series(const Expr& expr) {
  return expr.type == ValueType::kVector || expr.type == ValueType::kMatrix;
}

bool is_absence(const Call& call) { return call.function->name.starts_with("absent"); }

bool is_info(const Call& call) { return call.function->name == "info"; }

bool is_of_quantiles(const Call& call) { return call.function->name == "histogram_quantiles"; }

/// The one that its second argument names.
bool makes_a_label(const Call& call) {
  return call.function->name == "label_replace" || call.function->name == "label_join" ||
         is_of_quantiles(call);
}

/// What info() looks at to find what it adds (promql/info.go: identifyingLabels).
VectorMatching info_matching() {
  VectorMatching matching;
  matching.scope = VectorMatching::WhichLabels::kOn;
  matching.labels = {"instance", "job"};
  return matching;
}

/// Chooses series and gives them as they are.
bool is_choice(AggregateOperator op) {
  return op == AggregateOperator::kTopk || op == AggregateOperator::kBottomk ||
         op == AggregateOperator::kLimitk || op == AggregateOperator::kLimitRatio;
}

const Expr* first_of_series(const Call& call) {
  for (const ExprPtr& argument : call.arguments) {
    if (is_of_series(*argument)) return argument.get();
  }
  return nullptr;
}

std::string_view text_of(const Expr& expr) {
  if (const auto* literal = std::get_if<StringLiteral>(&expr.node)) return literal->value;
  if (const auto* paren = std::get_if<Paren>(&expr.node)) return text_of(*paren->expr);
  return {};
}

using SelectorNumbers = std::unordered_map<const Selector*, std::size_t>;

SelectorNumbers numbers_of(const Expr& expr) {
  SelectorNumbers numbers;
  for_each_selector(expr, [&](const Selector& selector) {
    const std::size_t number = numbers.size();
    numbers.emplace(&selector, number);
  });
  return numbers;
}

/// The side whose series the results of a matching come from.
const Expr& many_side(const Binary& binary) {
  return binary.matching.group == VectorMatching::Group::kRight ? *binary.right : *binary.left;
}

/// How many different values of some labels the results of an expression have, whatever the step.
/// kMost where nobody can say.
class Groups {
 public:
  Groups(const SelectorNumbers& numbers, const SeriesCounts& counts,
         std::vector<std::string> labels)
      : numbers_(numbers), counts_(counts), labels_(std::move(labels)) {}

  std::uint64_t of(const Expr& expr) const { return std::visit(*this, expr.node); }
  std::uint64_t operator()(const NumberLiteral& /*number*/) const { return 1; }
  std::uint64_t operator()(const StringLiteral& /*text*/) const { return 1; }
  std::uint64_t operator()(const Selector& selector) const {
    return counts_.groups(numbers_.at(&selector), labels_);
  }
  std::uint64_t operator()(const Subquery& subquery) const { return of(*subquery.expr); }
  std::uint64_t operator()(const Unary& unary) const { return of(*unary.operand); }
  std::uint64_t operator()(const Paren& paren) const { return of(*paren.expr); }
  std::uint64_t operator()(const Call& call) const {
    if (call.function->result == ValueType::kScalar || is_absence(call)) return 1;
    if (makes_a_label(call) && contains(labels_, text_of(*call.arguments[1]))) return kMost;
    if (is_info(call)) return kMost;
    const Expr* inner = first_of_series(call);
    return inner != nullptr ? of(*inner) : 1;
  }
  std::uint64_t operator()(const Aggregation& aggregation) const {
    const bool makes_one = aggregation.op == AggregateOperator::kCountValues &&
                           contains(labels_, text_of(*aggregation.parameter));
    if (makes_one) return kMost;
    if (is_choice(aggregation.op)) return of(*aggregation.expr);
    // What is not kept is empty in all results.
    const bool is_without = aggregation.grouping == Aggregation::Grouping::kWithout;
    const NameSet named(aggregation.labels);
    std::vector<std::string> kept;
    for (const std::string& label : labels_) {
      if (named.contain(label) != is_without) kept.push_back(label);
    }
    if (kept.empty()) return 1;
    return Groups(numbers_, counts_, std::move(kept)).of(*aggregation.expr);
  }
  std::uint64_t operator()(const Binary& binary) const {
    if (!is_of_series(*binary.left)) return of(*binary.right);
    if (!is_of_series(*binary.right)) return of(*binary.left);
    if (binary.op == BinaryOperator::kOr) return plus(of(*binary.left), of(*binary.right));
    const NameSet included(binary.matching.include);
    const bool is_of_partner =
        std::any_of(labels_.begin(), labels_.end(),
                    [&](const std::string& label) { return included.contain(label); });
    return is_of_partner ? kMost : of(many_side(binary));
  }

 private:
  const SelectorNumbers& numbers_;
  const SeriesCounts& counts_;
  const std::vector<std::string> labels_;
};

/// The label whose values label_replace gives another one, unchanged and of every series; "" where
/// it does not.
std::string_view copied_label(const Call& call, Dialect dialect) {
  // In 2.x a dot is no line feed, so that values with one stay what they were.
  if (call.function->name != "label_replace" || dialect != Dialect::kPrometheus3) return {};
  const std::string_view replacement = text_of(*call.arguments[2]);
  const bool is_whole =
      (replacement == "$1" || replacement == "${1}") && text_of(*call.arguments[4]) == "(.*)";
  return is_whole ? text_of(*call.arguments[3]) : std::string_view();
}

/// By which labels the series of an expression's one selector are alike where its results are for
/// a matching. Nothing where results that are may come of series that are not by any.
class AlikeBelow {
 public:
  using Found = std::optional<VectorMatching>;

  AlikeBelow(VectorMatching matching, Dialect dialect)
      : matching_(std::move(matching)), dialect_(dialect) {}

  Found of(const Expr& expr) const { return std::visit(*this, expr.node); }
  Found operator()(const NumberLiteral& /*number*/) const { return std::nullopt; }
  Found operator()(const StringLiteral& /*text*/) const { return std::nullopt; }
  Found operator()(const Selector& /*selector*/) const {
    // Functions drop the name.
    if (contains(matching_.labels, "__name__")) return std::nullopt;
    return matching_;
  }
  Found operator()(const Subquery& subquery) const { return of(*subquery.expr); }
  Found operator()(const Unary& unary) const { return of(*unary.operand); }
  Found operator()(const Paren& paren) const { return of(*paren.expr); }
  Found operator()(const Call& call) const {
    if (is_absence(call) || is_info(call) || call.function->name == "vector") return std::nullopt;
    const Expr* inner = first_of_series(call);
    if (inner == nullptr) return std::nullopt;
    if (makes_a_label(call) && looks_at(text_of(*call.arguments[1]))) {
      const std::string_view source = copied_label(call, dialect_);
      if (source.empty() || !is_on()) return std::nullopt;
      return AlikeBelow(by_source(text_of(*call.arguments[1]), source), dialect_).of(*inner);
    }
    const bool drops_le = call.function->name == "histogram_quantile" || is_of_quantiles(call) ||
                          call.function->name == "histogram_fraction";
    if (drops_le && looks_at("le")) return std::nullopt;
    return of(*inner);
  }
  Found operator()(const Aggregation& aggregation) const {
    const bool keeps =
        is_choice(aggregation.op) ||
        (aggregation.op != AggregateOperator::kCountValues && keeps_labels(aggregation));
    return keeps ? of(*aggregation.expr) : std::nullopt;
  }
  Found operator()(const Binary& binary) const {
    if (!is_of_series(*binary.left)) return of(*binary.right);
    const bool is_filter =
        binary.op == BinaryOperator::kAnd || binary.op == BinaryOperator::kUnless;
    return is_filter || !is_of_series(*binary.right) ? of(*binary.left) : std::nullopt;
  }

 private:
  bool is_on() const { return matching_.scope == VectorMatching::WhichLabels::kOn; }
  bool looks_at(std::string_view label) const {
    return contains(matching_.labels, label) == is_on();
  }
  bool keeps_labels(const Aggregation& aggregation) const {
    if (!is_on()) return false;
    const bool is_by = aggregation.grouping != Aggregation::Grouping::kWithout;
    const NameSet named(aggregation.labels);
    return std::all_of(matching_.labels.begin(), matching_.labels.end(),
                       [&](const std::string& label) { return named.contain(label) == is_by; });
  }
  VectorMatching by_source(std::string_view target, std::string_view source) const {
    VectorMatching matching = matching_;
    std::erase(matching.labels, target);
    if (!contains(matching.labels, source)) matching.labels.emplace_back(source);
    return matching;
  }

  const VectorMatching matching_;
  const Dialect dialect_;
};

/// What an expression gives, and the most that was held on the way to it, with it.
struct Held {
  std::uint64_t series = 0;
  std::uint64_t label_bytes = 0;  ///< of one of them
  std::uint64_t bytes = 0;
  std::uint64_t most = 0;
};

/// What all of a query's expressions have in common.
struct Known {
  const SeriesCounts& counts;
  const SelectorNumbers& numbers;
  std::uint64_t made_bytes;  ///< of labels that the query makes for one series
};

class ResultMeasure {
 public:
  ResultMeasure(const EvaluationShape& shape, const Known& known) : shape_(shape), known_(known) {}

  Held of(const Expr& expr) const { return std::visit(*this, expr.node); }

  Held operator()(const NumberLiteral& /*number*/) const { return made(1, 0, {}); }
  Held operator()(const StringLiteral& /*text*/) const { return {}; }
  Held operator()(const Selector& selector) const { return read(selector); }
  Held operator()(const Unary& unary) const { return of(*unary.operand); }
  Held operator()(const Paren& paren) const { return of(*paren.expr); }

  Held operator()(const Subquery& subquery) const {
    EvaluationShape inner = shape_;
    inner.length = Duration(static_cast<Duration::rep>(
        std::min(plus(length_of(shape_.length), length_of(subquery.range)),
                 static_cast<std::uint64_t>(Duration::max().count()))));
    const std::uint64_t step = length_of(subquery.step.value_or(kUsualStep));
    inner.steps = length_of(inner.length) / (step > 0 ? step : length_of(kUsualStep)) + 1;
    return ResultMeasure(inner, known_).of(*subquery.expr);
  }

  Held operator()(const Call& call) const {
    const Expr* of_series = first_of_series(call);
    if (of_series != nullptr && of_series->type == ValueType::kMatrix) {
      if (const auto* selector = std::get_if<Selector>(&of_series->node)) {
        return of_range(call, *selector);
      }
    }
    std::vector<Held> arguments;
    Held source{1, 0, 0, 0};
    for (const ExprPtr& argument : call.arguments) {
      if (is_text(*argument)) continue;
      arguments.push_back(of(*argument));
      if (argument.get() == of_series) source = arguments.back();
    }
    const bool is_one = call.function->result == ValueType::kScalar || is_absence(call);
    if (is_info(call) && arguments.size() == 2) return of_info(call, arguments);
    const std::uint64_t more = makes_a_label(call) ? known_.made_bytes : 0;
    const std::uint64_t each = is_of_quantiles(call) ? call.arguments.size() - 2 : 1;
    return made(is_one ? 1 : times(source.series, each), plus(source.label_bytes, more), arguments);
  }

  Held operator()(const Aggregation& aggregation) const {
    std::vector<Held> arguments;
    if (aggregation.parameter && !is_text(*aggregation.parameter)) {
      arguments.push_back(of(*aggregation.parameter));
    }
    arguments.push_back(of(*aggregation.expr));
    const Held source = arguments.back();
    const bool is_counted = aggregation.op == AggregateOperator::kCountValues;
    return made(series_of(aggregation, source.series),
                plus(source.label_bytes, is_counted ? kValueBytes : 0), arguments);
  }

  Held operator()(const Binary& binary) const {
    const Held left = of(*binary.left);
    const Held right = of(*binary.right);
    const bool is_by_vectors = is_of_series(*binary.left) && is_of_series(*binary.right);
    if (!is_by_vectors) {
      const Held& source = is_of_series(*binary.right) ? right : left;
      return made(source.series, source.label_bytes, {left, right});
    }
    const std::uint64_t larger = std::max(left.label_bytes, right.label_bytes);
    if (binary.op == BinaryOperator::kOr) {
      return made(plus(left.series, right.series), larger, {left, right});
    }
    if (binary.matching.is_filled() && binary.matching.include.empty()) {
      return made(plus(left.series, right.series), larger, {left, right});
    }
    const bool is_right_many = &many_side(binary) == binary.right.get();
    const std::uint64_t many = is_right_many ? right.series : left.series;
    if (binary.matching.include.empty()) return made(many, larger, {left, right});
    // A result has labels of its partner, which may be another one at every step.
    const std::uint64_t partners = is_right_many
                                       ? alike(*binary.left, binary.matching, left.series)
                                       : alike(*binary.right, binary.matching, right.series);
    // What is filled has results of the other side, too.
    const std::uint64_t filled = binary.matching.is_filled() ? plus(left.series, right.series) : 0;
    return made(plus(times(many, std::min(partners, shape_.steps)), filled),
                plus(left.label_bytes, right.label_bytes), {left, right});
  }

 private:
  static std::uint64_t length_of(Duration duration) {
    return duration.count() > 0 ? static_cast<std::uint64_t>(duration.count()) : 0;
  }

  /// As a matching with labels of the partner: of each name that is chosen one.
  Held of_info(const Call& call, const std::vector<Held>& arguments) const {
    const Held& added = arguments.back();
    const std::uint64_t partners = alike(*call.arguments.back(), info_matching(), added.series);
    const auto* selector = std::get_if<Selector>(&call.arguments.back()->node);
    const bool is_of_one_name =
        selector != nullptr && std::any_of(selector->matchers.begin(), selector->matchers.end(),
                                           [](const Matcher& matcher) {
                                             return matcher.name == "__name__" &&
                                                    matcher.type == MatchType::kEqual;
                                           });
    const std::uint64_t names = is_of_one_name ? 1 : partners;
    return made(times(arguments.front().series, std::min(partners, shape_.steps)),
                plus(arguments.front().label_bytes, times(names, added.label_bytes)), arguments);
  }

  std::uint64_t series_of(const Aggregation& aggregation, std::uint64_t series) const {
    // Each value at each step is a series of its own.
    if (aggregation.op == AggregateOperator::kCountValues) return times(series, shape_.steps);
    const bool is_whole =
        is_choice(aggregation.op) || aggregation.grouping == Aggregation::Grouping::kWithout;
    if (is_whole) return series;
    if (aggregation.labels.empty()) return std::min<std::uint64_t>(series, 1);
    const Groups groups(known_.numbers, known_.counts, aggregation.labels);
    return std::min(series, groups.of(*aggregation.expr));
  }

  std::uint64_t alike(const Expr& expr, const VectorMatching& matching,
                      std::uint64_t series) const {
    const Selector* only = nullptr;
    std::size_t selectors = 0;
    for_each_selector(expr, [&](const Selector& selector) {
      only = &selector;
      ++selectors;
    });
    if (selectors != 1) return series;
    const auto below = AlikeBelow(matching, shape_.dialect).of(expr);
    if (!below) return series;
    return std::min(series, known_.counts.alike(known_.numbers.at(only), *below));
  }

  std::uint64_t room(std::uint64_t series, std::uint64_t label_bytes) const {
    const bool is_old = shape_.dialect == Dialect::kPrometheus2;
    const std::uint64_t points = is_old ? shape_.steps : std::min(shape_.steps, kStepsWithRoomMax);
    const std::uint64_t steps_bytes = times(points, is_old ? kPointBytes2 : kPointBytes3);
    return times(series, plus(steps_bytes, plus(kSeriesBytes, label_bytes)));
  }

  /// Of a selector, alone or under a function over its range.
  Held read(const Selector& selector) const {
    const std::size_t number = known_.numbers.at(&selector);
    Held held{known_.counts.count(number), known_.counts.label_bytes(number), 0, 0};
    held.bytes = room(held.series, held.label_bytes);
    if (shape_.dialect == Dialect::kPrometheus3) {
      const std::uint64_t beside = times(held.series, plus(kSeriesBytes, held.label_bytes));
      held.bytes = std::min(held.bytes, plus(kDenseBytesMax, beside));
    }
    held.most = held.bytes;
    return held;
  }

  Held of_range(const Call& call, const Selector& selector) const {
    std::uint64_t others = 0;
    std::uint64_t most = 0;
    for (const ExprPtr& argument : call.arguments) {
      if (is_text(*argument) || argument->type == ValueType::kMatrix) continue;
      const Held other = of(*argument);
      most = std::max(most, plus(others, other.most));
      others = plus(others, other.bytes);
    }
    // absent_over_time holds what it reads, too, until it knows where nothing is.
    Held held = read(selector);
    held.most = std::max(most, plus(others, held.bytes));
    if (!is_absence(call)) return held;
    const Held one = made(1, held.label_bytes, {held});
    return {one.series, one.label_bytes, one.bytes, std::max(held.most, plus(others, one.most))};
  }

  /// A result that is made while what it is made of is there.
  Held made(std::uint64_t series, std::uint64_t label_bytes,
            const std::vector<Held>& arguments) const {
    Held held{series, label_bytes, room(series, label_bytes), 0};
    std::uint64_t there = 0;
    for (const Held& argument : arguments) {
      held.most = std::max(held.most, plus(there, argument.most));
      there = plus(there, argument.bytes);
    }
    held.most = std::max(held.most, plus(there, held.bytes));
    return held;
  }

  const EvaluationShape shape_;
  const Known& known_;
};

class MakesSeries {
 public:
  bool of(const Expr& expr) const { return std::visit(*this, expr.node); }
  bool operator()(const NumberLiteral& /*number*/) const { return false; }
  bool operator()(const StringLiteral& /*text*/) const { return false; }
  bool operator()(const Selector& /*selector*/) const { return false; }
  bool operator()(const Subquery& subquery) const { return of(*subquery.expr); }
  bool operator()(const Unary& unary) const { return of(*unary.operand); }
  bool operator()(const Paren& paren) const { return of(*paren.expr); }
  bool operator()(const Call& call) const {
    return is_info(call) || std::any_of(call.arguments.begin(), call.arguments.end(),
                                        [this](const ExprPtr& argument) { return of(*argument); });
  }
  bool operator()(const Aggregation& aggregation) const {
    return aggregation.op == AggregateOperator::kCountValues || of(*aggregation.expr) ||
           (aggregation.parameter && of(*aggregation.parameter));
  }
  bool operator()(const Binary& binary) const {
    return !binary.matching.include.empty() || of(*binary.left) || of(*binary.right);
  }
};

}  // namespace

std::uint64_t result_bytes(const Expr& expr, const EvaluationShape& shape,
                           const SeriesCounts& counts) {
  const SelectorNumbers numbers = numbers_of(expr);
  std::uint64_t stored = 0;
  for (const auto& [selector, number] : numbers) {
    stored = std::max(stored, counts.label_bytes(number));
  }
  const Known known{counts, numbers, label_bytes_made(expr, stored)};
  return ResultMeasure(shape, known).of(expr).most;
}

bool makes_series_at_each_step(const Expr& expr) { return MakesSeries().of(expr); }

}  // namespace vigia::promql
