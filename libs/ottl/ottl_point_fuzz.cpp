// Statements over data points of strangers, as a histogram of either kind has them: what is run is
// run twice to the same end, and damaged bytes end in an exception that `edit` catches. The input's
// first line is a statement or a condition, the rest a data point.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include <protozero/exception.hpp>

#include "libs/base/check.hpp"
#include "libs/ottl/program.hpp"
#include "libs/wire/edit/editable.hpp"
#include "libs/wire/otlp/fields.hpp"

namespace ottl = vigia::ottl;
namespace edit = vigia::wire::edit;
namespace otlp = vigia::wire::otlp;

namespace {

constexpr std::uint64_t kWork = 64ULL << 20U;

template <typename Program>
std::string outcome(const Program& program, otlp::MetricKind kind, std::string_view point) {
  const bool is_classic = kind == otlp::MetricKind::kHistogram;
  edit::Editable resource({}, otlp::ResourceField::kAttributes);
  edit::Editable scope({}, otlp::ScopeField::kAttributes);
  edit::Editable metric;
  metric.open({});
  edit::Editable item(point, is_classic ? otlp::HistogramPointField::kAttributes
                                        : otlp::ExponentialPointField::kAttributes);
  edit::Editable cache({}, otlp::ValuesField::kValues);
  ottl::Record record;
  record.set(ottl::MessageLevel::kResource, &resource);
  record.set(ottl::MessageLevel::kScope, &scope);
  record.set(ottl::MessageLevel::kMetric, &metric);
  record.set(ottl::MessageLevel::kPoint, &item);
  record.set(ottl::MessageLevel::kCache, &cache);
  record.metric_kind = kind;
  ottl::Evaluation evaluation;
  evaluation.begin_request(kWork, kWork);
  evaluation.begin(record);
  std::string out;
  try {
    out = program(evaluation);
    item.append_to(out);
    metric.append_to(out);
  } catch (const protozero::exception&) {
    out += "damaged";
  } catch (const ottl::WorkIsUsedUp&) {
    out += "used up";
  } catch (const edit::TooManyAttributes&) {
    out += "many";
  }
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const std::size_t end = input.find('\n');
  const std::string_view text = input.substr(0, end);
  if (text.find("Now") != std::string_view::npos) return 0;  // differs from one run to the next
  const std::string_view point = end == std::string_view::npos ? "" : input.substr(end + 1);
  ottl::CompileBudget budget;
  const auto condition = ottl::Condition::compile(text, ottl::Context::kPoint, budget);
  const auto statement = ottl::Statement::compile(text, ottl::Context::kPoint, budget);
  const auto test = [&](ottl::Evaluation& evaluation) {
    bool is_met = false;
    if (!condition->test(evaluation, is_met)) return condition->describe(evaluation.fault());
    return std::string(is_met ? "true" : "false");
  };
  const auto run = [&](ottl::Evaluation& evaluation) {
    return statement->run(evaluation) ? std::string() : statement->describe(evaluation.fault());
  };
  for (const auto kind : {otlp::MetricKind::kHistogram, otlp::MetricKind::kExponentialHistogram}) {
    if (condition) CHECK(outcome(test, kind, point) == outcome(test, kind, point));
    if (statement) CHECK(outcome(run, kind, point) == outcome(run, kind, point));
  }
  return 0;
}
