// The messages of OTLP as tables: JSON key, field number, how the value is written.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string_view>
#include <vector>

#include "libs/model/signal.hpp"

namespace vigia::wire::otlp {

enum class JsonKind : std::uint8_t {
  kText,
  kBase64,
  kHexId,
  kBool,
  kEnum,
  kUint32,
  kInt64,
  kUint64,
  kSint32,
  kFixed32,
  kFixed64,
  kSfixed64,
  kDouble,
  kMessage,
};

struct JsonMessage;

struct JsonField {
  std::string_view key;
  std::uint32_t number = 0;
  JsonKind kind = JsonKind::kText;
  bool is_repeated = false;
  const JsonMessage* message = nullptr;
};

struct JsonMessage {
  std::vector<JsonField> fields;
  const JsonField* find(std::string_view key) const;
};

/// Export{Metrics,Trace,Logs}ServiceRequest.
const JsonMessage& json_request(Signal signal);

}  // namespace vigia::wire::otlp
