#include "services/collector/config/part_keys.hpp"

#include <fmt/format.h>

namespace vigia::collector::config {

std::string_view part_type(std::string_view id) { return id.substr(0, id.find('/')); }

std::string_view part_name(std::string_view id) {
  const std::size_t slash = id.find('/');
  return slash == std::string_view::npos ? std::string_view{} : id.substr(slash + 1);
}

void take_note(const service::ConfigNode& node, std::string_view why, Notes& notes) {
  if (!node.is_present()) return;
  node.accept_all();
  notes.push_back(fmt::format("line {}: {} has no effect: {}", node.line(), node.path(), why));
}

void take_notes(const service::ConfigNode& node, std::initializer_list<std::string_view> keys,
                std::string_view why, Notes& notes) {
  for (const std::string_view key : keys) take_note(node.child(key), why, notes);
}

void refuse_key(const service::ConfigNode& node, std::string_view why) {
  if (!node.is_present()) return;
  node.accept_all();
  node.note_error(why);
}

}  // namespace vigia::collector::config
