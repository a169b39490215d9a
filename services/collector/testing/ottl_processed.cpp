// What the processors filter and transform make of requests, for the tests that ask OpenTelemetry's
// own OTTL the same (tests/integration/ottl_differential.py).
//
// A line of standard input is: context, "condition" or "statement", the text in JSON, and the
// request in base64, with tabs between them. Of each a line is printed: "error" and why where the
// text is refused when a file is read; else "ran", for how many items it could not be run, and what
// is left of the request, in base64; or "refused" and why.
#include <cstdlib>
#include <iostream>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "libs/base/base64.hpp"
#include "libs/base/check.hpp"
#include "services/collector/processors/filter/filter_stage.hpp"
#include "services/collector/processors/transform/transform_stage.hpp"

namespace vigia::collector::testing {
namespace {

std::vector<std::string> split(const std::string& line) {
  std::vector<std::string> fields;
  std::size_t begin = 0;
  while (begin <= line.size()) {
    const std::size_t end = std::min(line.find('\t', begin), line.size());
    fields.push_back(line.substr(begin, end - begin));
    begin = end + 1;
  }
  return fields;
}

Signal signal_of(std::string_view context) {
  if (context == "span" || context == "spanevent") return Signal::kTraces;
  if (context == "metric" || context == "datapoint") return Signal::kMetrics;
  return Signal::kLogs;
}

std::string_view key_of(Signal signal) {
  if (signal == Signal::kTraces) return "trace";
  return signal == Signal::kMetrics ? "metric" : "log";
}

/// A dollar stands for itself in a text; in a file it begins an environment variable.
std::string escaped(const std::string& text) {
  std::string out;
  for (const char c : text) out.append(c == '$' ? 2 : 1, c);
  return out;
}

/// As a file has it; null and an error where it is refused. JSON is YAML.
std::unique_ptr<intake::Stage> read(Signal signal, const std::vector<std::string>& fields,
                                    std::string& error) {
  const bool is_condition = fields[1] == "condition";
  const std::string yaml = fmt::format("{{{}_{}s: [{{context: {}, {}s: [{}]}}]}}", key_of(signal),
                                       fields[1], fields[0], fields[1], escaped(fields[2]));
  const auto file = service::ConfigFile::parse(yaml, "x.yaml");
  CHECK(file.has_value());
  static const std::map<std::string, std::string> tokens;
  config::Notes notes;
  std::unique_ptr<intake::Stage> stage;
  if (is_condition) {
    stage = processors::filter::make_filter_stage(
        std::make_shared<const processors::filter::FilterSettings>(
            processors::filter::read_filter(file->root(), {tokens, notes})));
  } else {
    stage = processors::transform::make_transform_stage(
        std::make_shared<const processors::transform::TransformSettings>(
            processors::transform::read_transform(file->root())));
  }
  const auto finished = file->finish();
  if (finished) return stage;
  error = finished.error().message;
  return nullptr;
}

std::string answer(const std::string& line) {
  const std::vector<std::string> fields = split(line);
  CHECK(fields.size() == 4);
  const Signal signal = signal_of(fields[0]);
  std::string error;
  const auto stage = read(signal, fields, error);
  if (!stage) return "error\t" + error;
  static const tenancy::Customer customer{*CustomerId::parse("cliente-a"), "A", "hot-0", {}, 0};
  auto body = from_base64(fields[3]);
  CHECK(body.has_value());
  intake::Batch batch{customer, {signal, "grpc", *std::move(body)}};
  if (const auto refusal = stage->accept(batch)) return "refused\t" + refusal->error.message;
  std::uint64_t faults = 0;
  for (const intake::ProcessorFaults& of : batch.faults) faults += of.faults;
  return fmt::format("ran\t{}\t{}", faults, to_base64(batch.request.body));
}

int run() {
  std::string line;
  while (std::getline(std::cin, line)) {
    std::string told = answer(line);
    for (char& c : told) {
      if (c == '\n') c = ' ';
    }
    std::cout << told << '\n';
  }
  return EXIT_SUCCESS;
}

}  // namespace
}  // namespace vigia::collector::testing

int main() { return vigia::collector::testing::run(); }
