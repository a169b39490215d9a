#include "services/storage/api/log_record.hpp"

#include <algorithm>
#include <array>
#include <cstdint>

#include "libs/base/hex.hpp"
#include "libs/wire/otlp/field_reader.hpp"
#include "libs/wire/otlp/fields.hpp"
#include "services/storage/api/event_taking.hpp"
#include "services/storage/api/json_cost.hpp"
#include "services/storage/store/stream_selector.hpp"

namespace vigia::storage::api {
namespace {

using wire::otlp::FieldReader;
using wire::otlp::LogRecordField;

// OpenTelemetry's short names of the numbers 1 to 24.
constexpr std::array<std::string_view, 24> kSeverities = {
    "TRACE", "TRACE2", "TRACE3", "TRACE4", "DEBUG", "DEBUG2", "DEBUG3", "DEBUG4",
    "INFO",  "INFO2",  "INFO3",  "INFO4",  "WARN",  "WARN2",  "WARN3",  "WARN4",
    "ERROR", "ERROR2", "ERROR3", "ERROR4", "FATAL", "FATAL2", "FATAL3", "FATAL4"};

std::string_view severity_of(std::uint64_t number) {
  return number >= 1 && number <= kSeverities.size() ? kSeverities[number - 1] : "";
}

bool is_wanted(const std::vector<store::LabelMatchers>& sets, const store::EventView& event,
               const RecordParts& parts) {
  std::vector<Label> labels = {{"severity", std::string(parts.severity)},
                               {"trace_id", parts.trace_id}};
  store::append_stream_labels(labels, event.resource);
  const Labels sorted = Labels::from(std::move(labels));
  std::vector<store::LabelTexts> views;
  for (const Label& label : sorted) views.emplace_back(label.name, label.value);
  return std::any_of(sets.begin(), sets.end(),
                     [&](const store::LabelMatchers& set) { return store::all_match(set, views); });
}

}  // namespace

RecordParts read_record(std::string_view record) {
  RecordParts parts;
  std::uint64_t number = 0;
  FieldReader reader(record);
  while (reader.next()) {
    switch (reader.tag_and_type()) {
      case LogRecordField::kSeverityNumber.tag:
        number = reader.varint();
        break;
      case LogRecordField::kSeverityText.tag:
        parts.severity = reader.bytes();
        break;
      case LogRecordField::kBody.tag:
        parts.body = reader.bytes();
        break;
      case LogRecordField::kTraceId.tag:
        parts.trace_id = to_hex(reader.bytes());
        break;
      case LogRecordField::kSpanId.tag:
        parts.span_id = to_hex(reader.bytes());
        break;
      default:
        reader.skip();
    }
  }
  if (parts.severity.empty()) parts.severity = severity_of(number);
  return parts;
}

Result<std::optional<bool>> is_wanted_within(const std::vector<store::LabelMatchers>& sets,
                                             const store::EventView& event,
                                             const RecordParts& parts,
                                             lanes::AnswerMemory& memory) {
  if (sets.empty()) return true;
  const std::size_t needed = labels_memory(event.resource);
  if (needed > kItemMemoryMax) return std::nullopt;
  const lanes::ScratchMemory scratch(memory);
  if (auto fits = memory.add(needed); !fits) return forward(fits);
  return is_wanted(sets, event, parts);
}

}  // namespace vigia::storage::api
