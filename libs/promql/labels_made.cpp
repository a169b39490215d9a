#include "libs/promql/labels_made.hpp"

#include <algorithm>
#include <limits>
#include <map>
#include <string>

namespace vigia::promql {
namespace {

constexpr std::uint64_t kMost = std::numeric_limits<std::uint64_t>::max();
// Labels of different names that a query may make; a store takes no more of one series.
constexpr std::size_t kLabelsMax = 256;

// Of a number that is made a label.
constexpr std::uint64_t kNumberBytes = 32;

std::uint64_t plus(std::uint64_t left, std::uint64_t right) {
  return right > kMost - left ? kMost : left + right;
}

std::uint64_t times(std::uint64_t left, std::uint64_t right) {
  return right != 0 && left > kMost / right ? kMost : left * right;
}

/// Bounds of the labels that the query has made so far; every other is a stored one.
struct Made {
  explicit Made(std::uint64_t stored_bytes) : stored(stored_bytes) {}

  struct Bound {
    std::uint64_t bytes = 0;     ///< where the query has made it
    bool may_be_stored = false;  ///< some series still have the store's
  };

  std::uint64_t stored;  ///< the most that a label of a store has
  std::map<std::string, Bound> labels;
  std::uint64_t most = 0;  ///< of all of them together, here or further below

  /// The largest value that the label may have now.
  std::uint64_t of(const std::string& label) const {
    const auto found = labels.find(label);
    if (found == labels.end()) return stored;
    return std::max(found->second.bytes, found->second.may_be_stored ? stored : 0);
  }
  void set(const std::string& label, Bound bound) {
    if (labels.size() >= kLabelsMax && !labels.contains(label)) {
      most = kMost;
      return;
    }
    labels[label] = bound;
    std::uint64_t sum = 0;
    for (const auto& [name, made] : labels) sum = plus(sum, made.bytes);
    most = std::max(most, sum);
  }
  /// A result may have the labels of either.
  void merge(const Made& other) {
    for (auto& [label, bound] : labels) {
      bound.may_be_stored = bound.may_be_stored || !other.labels.contains(label);
    }
    for (const auto& [label, bound] : other.labels) {
      const auto own = labels.find(label);
      const bool is_here = own != labels.end();
      set(label, {std::max(bound.bytes, is_here ? own->second.bytes : 0),
                  bound.may_be_stored || !is_here || own->second.may_be_stored});
    }
    most = std::max(most, other.most);
  }
};

std::string text_of(const Expr& expr) {
  if (const auto* literal = std::get_if<StringLiteral>(&expr.node)) return literal->value;
  if (const auto* paren = std::get_if<Paren>(&expr.node)) return text_of(*paren->expr);
  return {};
}

class LabelMeasure {
 public:
  explicit LabelMeasure(std::uint64_t stored) : stored_(stored) {}

  Made operator()(const NumberLiteral& /*number*/) const { return Made(stored_); }
  Made operator()(const StringLiteral& /*text*/) const { return Made(stored_); }
  Made operator()(const Selector& /*selector*/) const { return Made(stored_); }
  Made operator()(const Subquery& subquery) const { return of(*subquery.expr); }
  Made operator()(const Unary& unary) const { return of(*unary.operand); }
  Made operator()(const Paren& paren) const { return of(*paren.expr); }
  Made operator()(const Aggregation& aggregation) const {
    Made made = of(*aggregation.expr);
    if (aggregation.parameter) made.merge(of(*aggregation.parameter));
    return made;
  }
  Made operator()(const Binary& binary) const {
    Made made = of(*binary.left);
    made.merge(of(*binary.right));
    return made;
  }
  Made operator()(const Call& call) const {
    Made made(stored_);
    bool is_first = true;
    for (const ExprPtr& argument : call.arguments) {
      if (argument->type != ValueType::kVector && argument->type != ValueType::kMatrix) continue;
      is_first ? void(made = of(*argument)) : made.merge(of(*argument));
      is_first = false;
    }
    if (call.function->name == "label_join") join(call, made);
    if (call.function->name == "label_replace") replace(call, made);
    if (call.function->name == "histogram_quantiles") {
      made.set(text_of(*call.arguments[1]), {kNumberBytes, false});
    }
    return made;
  }

 private:
  Made of(const Expr& expr) const { return std::visit(*this, expr.node); }

  // label_join(v, target, separator, source…)
  static void join(const Call& call, Made& made) {
    const std::uint64_t separator = text_of(*call.arguments[2]).size();
    std::uint64_t bytes = 0;
    for (std::size_t i = 3; i < call.arguments.size(); ++i) {
      bytes = plus(bytes, plus(separator, made.of(text_of(*call.arguments[i]))));
    }
    made.set(text_of(*call.arguments[1]), {bytes, false});
  }

  // label_replace(v, target, replacement, source, regex): a series that does not match keeps what
  // it has.
  static void replace(const Call& call, Made& made) {
    const std::string target = text_of(*call.arguments[1]);
    const std::string replacement = text_of(*call.arguments[2]);
    const auto groups =
        static_cast<std::uint64_t>(std::count(replacement.begin(), replacement.end(), '$'));
    const std::uint64_t bytes =
        plus(replacement.size(), times(groups, made.of(text_of(*call.arguments[3]))));
    const auto before = made.labels.find(target);
    const bool was_made = before != made.labels.end();
    made.set(target, {std::max(bytes, was_made ? before->second.bytes : 0),
                      !was_made || before->second.may_be_stored});
  }

  std::uint64_t stored_;
};

}  // namespace

std::uint64_t label_bytes_made(const Expr& expr, std::uint64_t stored) {
  return std::visit(LabelMeasure(stored), expr.node).most;
}

}  // namespace vigia::promql
