// For tests: requests of spans, written and read by the reference protobuf classes.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <opentelemetry/proto/collector/trace/v1/trace_service.pb.h>

#include "services/collector/tail_sampling/policy.hpp"
#include "services/collector/tail_sampling/settings.hpp"

namespace vigia::collector::tail_sampling {

using SpansRequest = opentelemetry::proto::collector::trace::v1::ExportTraceServiceRequest;
using Span = opentelemetry::proto::trace::v1::Span;

/// The id of the trace of that number.
inline std::string trace_bytes(std::uint64_t number) {
  std::string bytes(16, '\1');
  for (std::size_t i = 0; i < 8; ++i) bytes[i] = static_cast<char>((number >> (8 * i)) & 0xffU);
  return bytes;
}
inline TraceId trace(std::uint64_t number) { return trace_id_of(trace_bytes(number)); }

/// A span of that trace in the request's only scope.
inline Span& add_span(SpansRequest& request, std::uint64_t trace_number, std::uint64_t span_number,
                      bool is_error = false) {
  auto* group = request.resource_spans_size() > 0 ? request.mutable_resource_spans(0)
                                                  : request.add_resource_spans();
  auto* scope =
      group->scope_spans_size() > 0 ? group->mutable_scope_spans(0) : group->add_scope_spans();
  Span& span = *scope->add_spans();
  span.set_trace_id(trace_bytes(trace_number));
  std::string id(8, '\2');
  for (std::size_t i = 0; i < 4; ++i) id[i] = static_cast<char>((span_number >> (8 * i)) & 0xffU);
  span.set_span_id(id);
  span.set_name("span-" + std::to_string(span_number));
  span.set_start_time_unix_nano(1'000'000'000);
  span.set_end_time_unix_nano(1'005'000'000);
  if (is_error)
    span.mutable_status()->set_code(opentelemetry::proto::trace::v1::Status::STATUS_CODE_ERROR);
  return span;
}

/// The settings as a file has them: what stands under the processor's name. Errors fail the test.
inline TailSamplingSettings settings_of(const std::string& yaml) {
  auto file = service::ConfigFile::parse("tail_sampling: " + yaml, "test.yaml");
  EXPECT_TRUE(file) << file.error().message;
  config::Notes notes;
  auto settings = read_tail_sampling(file->root().child("tail_sampling"), {Signal::kTraces}, notes);
  const auto finished = file->finish();
  EXPECT_TRUE(finished) << finished.error().message;
  return settings;
}

}  // namespace vigia::collector::tail_sampling
