// Any text as a configuration file, read as every kind of value.
#include <cstdint>
#include <string_view>

#include "libs/service/config.hpp"

namespace {

void read_all(const vigia::service::ConfigNode& node) {
  node.text();
  node.integer(0, -10, 10);
  node.number(0, 0, 1);
  node.boolean(false);
  node.duration({});
  node.bytes(0);
  for (const auto& key : node.keys()) read_all(node.child(key));
  if (node.is_sequence()) {
    for (const auto& item : node.items()) read_all(item);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto file = vigia::service::ConfigFile::parse(text, "fuzz.yaml");
  if (!file) return 0;
  read_all(file->root());
  static_cast<void>(file->finish().has_value());
  return 0;
}
