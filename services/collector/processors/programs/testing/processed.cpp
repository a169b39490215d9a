#include "services/collector/processors/programs/testing/processed.hpp"

#include <utility>

#include "libs/base/check.hpp"
#include "libs/wire/otlp/json.hpp"

namespace vigia::collector::processors::programs::testing {

Processed process(intake::Stage& stage, Signal signal, std::string_view json) {
  static const tenancy::Customer customer{*CustomerId::parse("cliente-a"), "A", "hot-0", {}, 0};
  auto body = wire::otlp::json_to_protobuf(signal, json);
  CHECK(body.has_value());
  intake::Batch batch{customer, {signal, "grpc", *std::move(body)}};
  const auto refusal = stage.accept(batch);
  Processed made{std::move(batch.request.body), batch.filtered, {}, {}, 0, {}};
  for (const intake::ProcessorFaults& of : batch.faults) {
    made.faults += of.faults;
    made.first_fault += of.first;
  }
  if (refusal) {
    made.refused = refusal->error.message;
    if (refusal->reason) made.reason = books::to_string(*refusal->reason);
  }
  return made;
}

std::string read_yaml(std::string_view yaml,
                      const std::function<void(const service::ConfigNode& node)>& read) {
  const auto file = service::ConfigFile::parse(yaml, "x.yaml");
  CHECK(file.has_value());
  read(file->root());
  const auto finished = file->finish();
  return finished ? "" : finished.error().message;
}

}  // namespace vigia::collector::processors::programs::testing
