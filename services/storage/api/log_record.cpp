#include "services/storage/api/log_record.hpp"

#include <algorithm>
#include <array>

#include <xxhash.h>

#include "libs/base/hex.hpp"
#include "libs/base/utf8.hpp"
#include "libs/wire/otlp/attributes.hpp"
#include "libs/wire/otlp/field_reader.hpp"
#include "libs/wire/otlp/fields.hpp"
#include "services/storage/api/answer_body.hpp"
#include "services/storage/api/attribute_json.hpp"
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

constexpr std::size_t kKnownMax = 10'000;

std::string_view severity_of(std::uint64_t number) {
  return number >= 1 && number <= kSeverities.size() ? kSeverities[number - 1] : "";
}

bool is_wanted(const std::vector<store::LabelMatchers>& sets, const store::EventView& event,
               const RecordParts& parts) {
  std::vector<Label> labels = {{"severity", std::string(parts.severity)},
                               {"trace_id", to_hex(parts.trace_id)}};
  store::append_stream_labels(labels, event.resource);
  const Labels sorted = Labels::from(std::move(labels));
  std::vector<store::LabelTexts> views;
  for (const Label& label : sorted) views.emplace_back(label.name, label.value);
  return std::any_of(sets.begin(), sets.end(),
                     [&](const store::LabelMatchers& set) { return store::all_match(set, views); });
}

bool ask_for_trace(const std::vector<store::LabelMatchers>& sets) {
  return std::any_of(sets.begin(), sets.end(), [](const store::LabelMatchers& set) {
    return std::any_of(set.begin(), set.end(), [](const store::LabelMatcher& matcher) {
      return matcher.name() == "trace_id";
    });
  });
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
        parts.trace_id = reader.bytes();
        break;
      case LogRecordField::kSpanId.tag:
        parts.span_id = reader.bytes();
        break;
      default:
        reader.skip();
    }
  }
  if (parts.severity.empty()) parts.severity = severity_of(number);
  return parts;
}

Result<std::string_view> text_within(std::string_view body, std::string& made,
                                     lanes::AnswerMemory& memory) {
  if (const auto plain = plain_string(body); plain && is_utf8(*plain)) return *plain;
  constexpr std::size_t kKeptMax = 64U << 10U;
  if (made.capacity() > kKeptMax) made = {};
  const lanes::ScratchMemory scratch(memory);
  // As JSON, of arrays and lists, and with what is no UTF-8 replaced.
  if (auto fits = memory.add(2 * kJsonGrowth * body.size()); !fits) return forward(fits);
  made.clear();
  wire::otlp::append_value_text(made, body);
  if (!is_utf8(made)) made = to_utf8(made);
  return std::string_view(made);
}

RecordSelector::RecordSelector(const std::vector<store::LabelMatchers>& sets,
                               lanes::AnswerMemory& memory)
    : sets_(sets), memory_(memory), is_by_trace_(ask_for_trace(sets)) {}

// By a hash of 64 bits: who finds two resources with one hash is told of his own records alone.
Result<std::optional<bool>> RecordSelector::wants(const store::EventView& event,
                                                  const RecordParts& parts) {
  if (sets_.empty()) return true;
  const std::uint64_t severity = XXH3_64bits(parts.severity.data(), parts.severity.size());
  const std::uint64_t hash =
      XXH3_64bits_withSeed(event.resource.data(), event.resource.size(), severity);
  if (const auto at = known_.find(hash); !is_by_trace_ && at != known_.end()) return at->second;
  const std::size_t needed = labels_memory(event.resource);
  if (needed > kItemMemoryMax) return std::nullopt;
  const lanes::ScratchMemory scratch(memory_);
  if (auto fits = memory_.add(needed); !fits) return forward(fits);
  const bool is_one = is_wanted(sets_, event, parts);
  if (is_by_trace_) return is_one;
  // A walk over records of ever new resources must not keep them all.
  if (known_.size() == kKnownMax) known_.clear();
  known_.emplace(hash, is_one);
  return is_one;
}

}  // namespace vigia::storage::api
