// What the JSON of a span or log record takes, reckoned before it is made: element by element, with
// the text that stands around each, for an empty link of two bytes becomes fifty.
#pragma once

#include <cstddef>
#include <string_view>

#include "libs/wire/otlp/attributes.hpp"
#include "services/storage/store/catalog.hpp"
#include "services/storage/store/events.hpp"

namespace vigia::storage::api {

struct JsonCost {
  std::size_t json = 0;     ///< bytes of JSON, at most
  std::size_t scratch = 0;  ///< beside it, while a value of arrays and lists is written
  std::size_t memory() const { return json + scratch; }
};

/// All throw protozero::exception on damaged bytes. The JSON: jaeger_json.hpp, attribute_json.hpp.
JsonCost span_cost(const store::EventView& event);  ///< without its process
JsonCost process_cost(std::string_view resource);
JsonCost record_cost(const store::EventView& event);  ///< of GET /api/v1/logs

/// Of a resource whose attributes become labels for a while.
std::size_t labels_memory(std::string_view resource);

}  // namespace vigia::storage::api
