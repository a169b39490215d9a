#include "services/router/plan/rolled_tree.hpp"

#include <algorithm>
#include <array>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "libs/base/check.hpp"
#include "libs/model/labels.hpp"

namespace vigia::router::plan {
namespace {

using promql::BinaryOperator;
using promql::Expr;
using promql::ExprPtr;
using promql::Selector;
using promql::TimeShift;
using promql::ValueType;

/// A function of a range of samples, and the same of a part of its windows. A window's stamp is a
/// millisecond before its end, so that it lies in the very range that its samples lie in, whether
/// ranges are open on the left (3.x) or closed (2.x).
struct Row {
  std::string_view of_samples;
  std::string_view of_windows;
  std::string_view part;
  /// Of a range that is one window alone: the part is the whole answer, which several do not add
  /// up to.
  bool is_of_one = false;
};
constexpr std::array kRows{
    Row{"count_over_time", "sum_over_time", "count"},
    Row{"delta", "sum_over_time", "delta", true},
    Row{"increase", "sum_over_time", "increase", true},
    Row{"last_over_time", "last_over_time", "last"},
    Row{"max_over_time", "max_over_time", "max"},
    Row{"min_over_time", "min_over_time", "min"},
    Row{"present_over_time", "present_over_time", "count"},
    Row{"rate", "sum_over_time", "rate", true},
    Row{"sum_over_time", "sum_over_time", "sum"},
};
constexpr std::string_view kAverage = "avg_over_time";

template <typename Node>
ExprPtr made(Node node) {
  auto expr = std::make_unique<Expr>();
  expr->node = std::move(node);
  return expr;
}

ExprPtr binary(ExprPtr left, BinaryOperator op, ExprPtr right) {
  promql::Binary node;
  node.op = op;
  node.left = std::move(left);
  node.right = std::move(right);
  return made(std::move(node));
}

Expr& inside_parens(Expr& expr) {
  auto* paren = std::get_if<promql::Paren>(&expr.node);
  return paren == nullptr ? expr : inside_parens(*paren->expr);
}

bool takes_range(const promql::Function& function) {
  return std::find(function.arguments.begin(), function.arguments.end(), ValueType::kMatrix) !=
         function.arguments.end();
}

/// Looks at the selector itself, and not at the samples that it gives: at their own times, or at
/// its matchers, from which it makes labels or chooses those that it adds.
bool looks_at_selector(const promql::Function& function) {
  return function.name == "timestamp" || function.name == "start_timestamp" ||
         function.name == "absent" || function.name == "info";
}

/// Of native histograms alone, which have no roll-ups.
bool is_of_histograms(BinaryOperator op) {
  return op == BinaryOperator::kTrimUpper || op == BinaryOperator::kTrimLower;
}

/// It takes samples from outside of its range, as they lie there.
bool is_extended(const Selector& selector) {
  return selector.extension != Selector::Extension::kNone;
}

/// `and` and `unless` pass over names: series of two names that are alike else would be taken for
/// one.
bool has_one_name(const Selector& selector) {
  return !selector.name.empty() ||
         std::any_of(selector.matchers.begin(), selector.matchers.end(), [](const auto& matcher) {
           return matcher.name == kNameLabel && matcher.type == MatchType::kEqual &&
                  !matcher.value.empty();
         });
}

Duration width_of(Resolution resolution) {
  switch (resolution) {
    case Resolution::kFiveMinutes:
      return std::chrono::minutes(5);
    case Resolution::kHour:
      return std::chrono::hours(1);
    case Resolution::kDay:
      return std::chrono::hours(24);
    case Resolution::kRaw:
      break;
  }
  CHECK(false);
  return {};
}

constexpr Duration kSecond = std::chrono::seconds(1);

double seconds_of(Duration duration) { return static_cast<double>(duration / kSecond); }

class RolledForm {
 public:
  RolledForm(const RolledTimes& times, promql::Dialect dialect, Resolution resolution,
             bool is_nearly)
      : times_(times),
        dialect_(dialect),
        resolution_(resolution),
        width_(width_of(resolution)),
        is_nearly_(is_nearly) {}

  bool rewrite(Expr& expr) {
    return std::visit([&](auto& node) { return see(node, expr); }, expr.node);
  }

 private:
  bool see(promql::NumberLiteral& /*number*/, Expr& /*at*/) { return true; }
  bool see(promql::StringLiteral& /*text*/, Expr& /*at*/) { return true; }
  /// It is evaluated at times of its own.
  bool see(promql::Subquery& subquery, Expr& /*at*/) {
    return is_nearly_ && rewrite(*subquery.expr);
  }
  bool see(promql::Unary& unary, Expr& /*at*/) { return rewrite(*unary.operand); }
  bool see(promql::Paren& paren, Expr& /*at*/) { return rewrite(*paren.expr); }
  bool see(promql::Binary& pair, Expr& /*at*/) {
    return !is_of_histograms(pair.op) && rewrite(*pair.left) && rewrite(*pair.right);
  }
  bool see(promql::Aggregation& aggregation, Expr& /*at*/) {
    const bool has_form = aggregation.parameter == nullptr || rewrite(*aggregation.parameter);
    return has_form && rewrite(*aggregation.expr);
  }
  bool see(promql::Call& call, Expr& at) {
    if (takes_range(*call.function)) return see_of_range(call, at);
    if (looks_at_selector(*call.function)) return false;
    return see_arguments(call);
  }
  bool see_arguments(promql::Call& call) {
    return std::all_of(call.arguments.begin(), call.arguments.end(),
                       [this](const ExprPtr& argument) { return rewrite(*argument); });
  }
  bool see(Selector& selector, Expr& at) {
    if (selector.range || is_extended(selector)) return false;
    if (!is_nearly_ && !fits_at_a_time(selector)) return false;
    at.node = promql::Paren{is_nearly_ ? nearly_newest(selector) : newest(std::move(selector))};
    return true;
  }

  bool see_of_range(promql::Call& call, Expr& at) {
    const bool is_of_subquery =
        std::any_of(call.arguments.begin(), call.arguments.end(), [](const ExprPtr& argument) {
          return std::holds_alternative<promql::Subquery>(inside_parens(*argument).node);
        });
    if (is_of_subquery) return see_arguments(call);
    if (call.arguments.size() != 1) return false;
    auto* selector = std::get_if<Selector>(&inside_parens(*call.arguments.front()).node);
    if (selector == nullptr || !selector->range || is_extended(*selector)) return false;
    if (is_nearly_) {
      selector->range = whole_windows(*selector->range);
    } else if (*selector->range < width_ || !fits(*selector->range) || !fits(selector->shift)) {
      return false;
    }
    if (call.function->name == kAverage) {
      ExprPtr sum = call_of("sum_over_time", part_of(*selector, "sum"));
      ExprPtr count = call_of("sum_over_time", part_of(*selector, "count"));
      at.node = promql::Paren{binary(std::move(sum), BinaryOperator::kDivide, std::move(count))};
      return true;
    }
    const auto row = std::find_if(kRows.begin(), kRows.end(), [&](const Row& each) {
      return each.of_samples == call.function->name;
    });
    if (row == kRows.end()) return false;
    const bool is_one = *selector->range == width_;
    if (row->is_of_one && !is_one && !is_nearly_) return false;
    const bool is_rate = row->of_samples == "rate" && !is_one;
    at.node = std::move(
        call_of(is_rate ? kAverage : row->of_windows, part_of(*selector, row->part))->node);
    return true;
  }

  /// The newest sample within the look-back, if no stale mark is newer: as the windows that end
  /// with the times of evaluation tell. No other window has its stamp within the look-back.
  ExprPtr newest(Selector selector) const {
    const Duration back = times_.evaluation.lookback + selector.shift.offset;
    ExprPtr value =
        binary(part_of(selector, "last"), BinaryOperator::kUnless, part_of(selector, "stale_time"));
    ExprPtr since = earliest(selector.shift, back);
    ExprPtr is_recent = binary(part_of(std::move(selector), "last_time"), BinaryOperator::kGreater,
                               std::move(since));
    return binary(std::move(value), BinaryOperator::kAnd, std::move(is_recent));
  }

  /// As newest, by the window whose stamp comes last.
  ExprPtr nearly_newest(const Selector& selector) const {
    const auto within = [this](Selector chosen, Duration range, std::string_view part) {
      chosen.range = range;
      return call_of("last_over_time", part_of(std::move(chosen), part));
    };
    ExprPtr value = within(selector, whole_windows(times_.evaluation.lookback), "last");
    if (!has_one_name(selector)) return value;
    return binary(std::move(value), BinaryOperator::kUnless,
                  within(selector, width_, "stale_time"));
  }

  Duration whole_windows(Duration range) const {
    constexpr Duration kLongest = std::chrono::hours(24 * 365 * 100);
    return (std::min(range, kLongest) + width_ - Duration(1)) / width_ * width_;
  }

  /// `back` before each time of evaluation, in seconds since 1970.
  ExprPtr earliest(const TimeShift& shift, Duration back) const {
    if (const auto fixed = fixed_ms(shift)) {
      const Duration since = std::chrono::milliseconds(*fixed) - back;
      return made(promql::NumberLiteral{seconds_of(since), std::nullopt});
    }
    const bool is_ahead = back < Duration::zero();
    return binary(call_of("time", nullptr),
                  is_ahead ? BinaryOperator::kAdd : BinaryOperator::kSubtract,
                  made(promql::NumberLiteral{seconds_of(is_ahead ? -back : back), std::nullopt}));
  }

  bool fits_at_a_time(const Selector& selector) const {
    const Duration lookback = times_.evaluation.lookback;
    // Of a longer one more than one window would lie in it.
    const bool is_within = lookback <= width_ && lookback % kSecond == Duration::zero();
    if (times_.step < width_ || !is_within) return false;
    if (!has_one_name(selector) || !fits(selector.shift)) return false;
    const auto fixed = fixed_ms(selector.shift);  // numbers have no sign in a tree
    return !fixed || std::chrono::milliseconds(*fixed) >= lookback + selector.shift.offset;
  }

  bool fits(Duration duration) const { return duration % width_ == Duration::zero(); }
  bool fits(const TimeShift& shift) const {
    // As far as both together can be counted in nanoseconds.
    constexpr TimestampMs kFurthest = TimestampMs{1} << 41U;
    constexpr Duration kLongest = std::chrono::milliseconds(kFurthest);
    if (shift.offset > kLongest || shift.offset < -kLongest || !fits(shift.offset)) return false;
    const auto fixed = fixed_ms(shift);
    if (!fixed) return true;
    const bool is_near = *fixed <= kFurthest && *fixed >= -kFurthest;
    return is_near && fits(std::chrono::milliseconds(*fixed));
  }

  std::optional<TimestampMs> fixed_ms(const TimeShift& shift) const {
    switch (shift.at) {
      case TimeShift::At::kNone:
        return std::nullopt;
      case TimeShift::At::kStart:
        return times_.evaluation.start_ms;
      case TimeShift::At::kEnd:
        return times_.evaluation.end_ms;
      case TimeShift::At::kTimestamp:
        return shift.timestamp_ms;
    }
    return std::nullopt;
  }

  ExprPtr part_of(Selector selector, std::string_view part) const {
    selector.matchers.push_back(Matcher{MatchType::kEqual, std::string(kRollupLabel),
                                        fmt::format("{}:{}", to_string(resolution_), part)});
    return made(std::move(selector));
  }

  ExprPtr call_of(std::string_view name, ExprPtr argument) const {
    promql::Call call;
    call.function = promql::find_function(name, dialect_);
    if (argument) call.arguments.push_back(std::move(argument));
    return made(std::move(call));
  }

  const RolledTimes& times_;
  const promql::Dialect dialect_;
  const Resolution resolution_;
  const Duration width_;
  const bool is_nearly_;
};

}  // namespace

bool are_whole_windows(const RolledTimes& times, Resolution resolution) {
  const Duration width = width_of(resolution);
  return times.evaluation.start_ms % (width / std::chrono::milliseconds(1)) == 0 &&
         times.step % width == Duration::zero();
}

bool read_rolled(Expr& expr, const RolledTimes& times, promql::Dialect dialect,
                 Resolution resolution) {
  return are_whole_windows(times, resolution) &&
         RolledForm(times, dialect, resolution, false).rewrite(expr);
}

bool read_nearly(Expr& expr, const RolledTimes& times, promql::Dialect dialect,
                 Resolution resolution) {
  return RolledForm(times, dialect, resolution, true).rewrite(expr);
}

}  // namespace vigia::router::plan
