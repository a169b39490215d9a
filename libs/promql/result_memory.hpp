// How much memory the results of a query may take of the Prometheus that evaluates it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "libs/promql/ast.hpp"

namespace vigia::promql {

/// The series that the selectors of a query read, over all the time that they look at. Selectors
/// are numbered in the order of the text.
class SeriesCounts {
 public:
  virtual ~SeriesCounts() = default;
  virtual std::uint64_t count(std::size_t selector) const = 0;
  /// How many different values they have of these labels, taken together.
  virtual std::uint64_t groups(std::size_t selector,
                               const std::vector<std::string>& labels) const = 0;
  /// The most of them that have the same labels as far as the matching looks at them.
  virtual std::uint64_t alike(std::size_t selector, const VectorMatching& matching) const = 0;
  /// The most bytes of labels that one of them has.
  virtual std::uint64_t label_bytes(std::size_t selector) const = 0;
};

/// So many for each selector, of which nothing else is known.
class AssumedSeries final : public SeriesCounts {
 public:
  AssumedSeries(std::uint64_t each, std::uint64_t label_bytes)
      : each_(each), label_bytes_(label_bytes) {}
  std::uint64_t count(std::size_t /*selector*/) const override { return each_; }
  std::uint64_t groups(std::size_t /*selector*/,
                       const std::vector<std::string>& labels) const override {
    return labels.empty() ? 1 : each_;
  }
  std::uint64_t alike(std::size_t /*selector*/, const VectorMatching& /*matching*/) const override {
    return each_;
  }
  std::uint64_t label_bytes(std::size_t /*selector*/) const override { return label_bytes_; }

 private:
  std::uint64_t each_;
  std::uint64_t label_bytes_;
};

/// What evaluates a query, and over what.
struct EvaluationShape {
  Dialect dialect = Dialect::kPrometheus3;
  std::uint64_t steps = 1;  ///< 1: an instant query
  Duration length{0};       ///< from the first step to the last
};

/// The most bytes that results, intermediate ones too, take at one moment. Prometheus gives every
/// series of a result room for all its steps when the first sample comes (3.x: for 5,000 at the
/// most), and its --query.max-samples counts samples, not that room. So series count, those also
/// that an operator may make anew at every step: count_values, and group_left and group_right with
/// labels. What each holds beside its steps, its labels above all, counts too. Saturates at the
/// largest number.
std::uint64_t result_bytes(const Expr& expr, const EvaluationShape& shape,
                           const SeriesCounts& counts);

/// Whether an operator of the query may make series anew at every step.
bool makes_series_at_each_step(const Expr& expr);

}  // namespace vigia::promql
