#include "services/storage/store/label_bytes.hpp"

#include "libs/base/bytes.hpp"

namespace vigia::storage::store {

std::string encode_labels(const Labels& labels) {
  std::string bytes;
  for (const Label& label : labels) {
    append_sized(bytes, label.name);
    append_sized(bytes, label.value);
  }
  return bytes;
}

Result<std::vector<LabelTexts>> decode_labels(std::string_view bytes) {
  std::vector<LabelTexts> views;
  ByteReader reader(bytes);
  while (reader.ok() && !reader.rest().empty()) {
    const std::string_view name = reader.read_sized();
    const std::string_view value = reader.read_sized();
    views.emplace_back(name, value);
  }
  if (!reader.ok()) return fail(ErrorCode::kCorrupt, "cold store: damaged labels in the index");
  return views;
}

Labels to_labels(const std::vector<LabelTexts>& views) {
  std::vector<Label> labels;
  labels.reserve(views.size());
  for (const auto& [name, value] : views) labels.push_back({std::string(name), std::string(value)});
  return Labels::from(std::move(labels));
}

}  // namespace vigia::storage::store
