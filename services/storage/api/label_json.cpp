#include "services/storage/api/label_json.hpp"

#include "libs/base/json_text.hpp"
#include "services/storage/api/answer_body.hpp"

namespace vigia::storage::api {

std::string labels_json(const Labels& labels) {
  std::string json = "{";
  for (const Label& label : labels) {
    if (json.size() > 1) json += ',';
    json += json_text(label.name) + ':' + json_text(label.value);
  }
  return json + '}';
}

std::size_t labels_json_bytes_max(const Labels& labels) {
  std::size_t bytes = 2;
  for (const Label& label : labels) {
    bytes += kJsonGrowth * (label.name.size() + label.value.size()) + 6;
  }
  return bytes;
}

}  // namespace vigia::storage::api
