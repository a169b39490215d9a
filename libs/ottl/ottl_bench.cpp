// Conditions and statements over log records of some 300 bytes with ten attributes. Items a second
// are records.
#include <cstdint>
#include <string>
#include <vector>

#include <benchmark/benchmark.h>
#include <protozero/pbf_writer.hpp>

#include "libs/ottl/program.hpp"
#include "libs/wire/edit/editable.hpp"
#include "libs/wire/edit/value.hpp"
#include "libs/wire/otlp/fields.hpp"

namespace vigia::ottl {
namespace {

using wire::edit::Editable;
using wire::edit::encoded_value;
using wire::edit::ValueView;
using wire::otlp::LogRecordField;

constexpr std::size_t kRecords = 1'000;

std::string log_record(std::size_t i) {
  Editable record(std::string_view{}, LogRecordField::kAttributes);
  record.set_number(LogRecordField::kTime, 1'764'489'600'000'000'000 + i);
  record.set_number(LogRecordField::kSeverityNumber, i % 100 == 0 ? 17 : 9);
  record.set_bytes(LogRecordField::kSeverityText, i % 100 == 0 ? "ERROR" : "INFO");
  record.set_bytes(LogRecordField::kBody,
                   encoded_value(ValueView::of_text("order " + std::to_string(i) +
                                                    " was placed by a customer in the shop")));
  for (const char* key :
       {"http.method", "http.route", "http.status_code", "net.peer.name", "user_agent.original",
        "thread.name", "code.function", "code.namespace", "deployment", "region"})
    record.set_attribute(key, encoded_value(ValueView::of_text("some value")));
  std::string out;
  record.append_to(out);
  return out;
}

const std::vector<std::string>& records() {
  static const std::vector<std::string> made = [] {
    std::vector<std::string> all;
    for (std::size_t i = 0; i < kRecords; ++i) all.push_back(log_record(i));
    return all;
  }();
  return made;
}

template <typename Run>
void over_records(benchmark::State& state, const Run& run) {
  Editable resource(std::string_view{}, wire::otlp::ResourceField::kAttributes);
  Editable item;
  Record record;
  record.set(MessageLevel::kResource, &resource);
  record.set(MessageLevel::kLog, &item);
  Evaluation evaluation;
  std::int64_t items = 0;
  for (auto _ : state) {
    evaluation.begin_request(~0ULL, ~0ULL);
    for (const std::string& bytes : records()) {
      item.open(bytes, LogRecordField::kAttributes);
      evaluation.begin(record);
      run(evaluation);
      ++items;
    }
  }
  state.SetItemsProcessed(items);
}

const char* const kConditions[] = {"log.severity_number < SEVERITY_NUMBER_INFO",
                                   "log.attributes[\"region\"] == \"eu\"",
                                   "IsMatch(log.body, \"password|secret\")",
                                   "log.severity_number >= SEVERITY_NUMBER_ERROR and "
                                   "log.attributes[\"http.route\"] == \"/health\""};

void bm_condition(benchmark::State& state) {
  CompileBudget budget;
  const auto condition = Condition::compile(kConditions[state.range(0)], Context::kLog, budget);
  over_records(state, [&](Evaluation& evaluation) {
    bool is_met = false;
    benchmark::DoNotOptimize(condition->test(evaluation, is_met));
  });
  state.SetLabel(kConditions[state.range(0)]);
}
BENCHMARK(bm_condition)->DenseRange(0, 3);

const char* const kStatements[] = {
    "set(log.attributes[\"env\"], \"prod\")", "delete_key(log.attributes, \"region\")",
    "replace_pattern(log.body, \"order \\\\d+\", \"order *\")",
    "truncate_all(log.attributes, 4096)", "set(log.body, \"x\") where log.severity_number == 24"};

void bm_statement(benchmark::State& state) {
  CompileBudget budget;
  const auto statement = Statement::compile(kStatements[state.range(0)], Context::kLog, budget);
  over_records(
      state, [&](Evaluation& evaluation) { benchmark::DoNotOptimize(statement->run(evaluation)); });
  state.SetLabel(kStatements[state.range(0)]);
}
BENCHMARK(bm_statement)->DenseRange(0, 4);

/// An attribute under another key, as files do it with two statements; the record is written anew.
void bm_rename(benchmark::State& state) {
  CompileBudget budget;
  const auto put = Statement::compile(
      "set(log.attributes[\"route\"], log.attributes[\"http.route\"])", Context::kLog, budget);
  const auto take =
      Statement::compile("delete_key(log.attributes, \"http.route\")", Context::kLog, budget);
  std::string written;
  over_records(state, [&](Evaluation& evaluation) {
    put->run(evaluation);
    take->run(evaluation);
    written.clear();
    evaluation.record().at(MessageLevel::kLog)->append_to(written);
    benchmark::DoNotOptimize(written.data());
  });
}
BENCHMARK(bm_rename);

}  // namespace
}  // namespace vigia::ottl
