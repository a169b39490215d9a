#include "services/router/api/loki/touched.hpp"

#include <algorithm>
#include <limits>
#include <variant>

namespace vigia::router::api::loki {
namespace {

/// Times and lengths are each any number of 64 bits.
std::int64_t minus(std::int64_t time, std::int64_t length) {
  std::int64_t result = 0;
  if (!__builtin_sub_overflow(time, length, &result)) return result;
  return length > 0 ? std::numeric_limits<std::int64_t>::min()
                    : std::numeric_limits<std::int64_t>::max();
}

class Touched {
 public:
  explicit Touched(LogRange evaluated) : evaluated_(evaluated) {}

  void see(const logql::LogExpr& expr) {
    std::visit([this](const auto& node) { see(node); }, expr.node);
  }
  const std::optional<LogRange>& all() const { return all_; }

 private:
  void see(const logql::RangeAggregation& made) {
    const std::int64_t offset = made.offset.value_or(Duration(0)).count();
    const LogRange range{minus(minus(evaluated_.start_ns, offset), made.range.count()),
                         minus(evaluated_.end_ns, offset)};
    if (!all_) all_ = range;
    all_->start_ns = std::min(all_->start_ns, range.start_ns);
    all_->end_ns = std::max(all_->end_ns, range.end_ns);
  }
  void see(const logql::VectorAggregation& made) { see(*made.expr); }
  void see(const logql::LabelReplaceExpr& made) { see(*made.expr); }
  void see(const logql::MetricPair& pair) {
    see(*pair.left);
    see(*pair.right);
  }
  void see(const logql::GroupedExpr& grouped) { see(*grouped.expr); }
  void see(const logql::LogSelector& /*lines*/) {}
  void see(const logql::ConstantExpr& /*number*/) {}

  const LogRange evaluated_;
  std::optional<LogRange> all_;
};

}  // namespace

std::optional<LogRange> touched_by(const logql::LogExpr& expr, LogRange evaluated) {
  Touched touched(evaluated);
  touched.see(expr);
  return touched.all();
}

}  // namespace vigia::router::api::loki
