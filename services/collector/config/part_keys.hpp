// What the readers of all parts of a configuration share.
#pragma once

#include <initializer_list>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "libs/service/config.hpp"

namespace vigia::collector::config {

/// "otlp" of "otlp/2".
std::string_view part_type(std::string_view id);
/// "2" of "otlp/2", "" of "otlp".
std::string_view part_name(std::string_view id);

/// Keys that are known and have no effect here, a sentence each.
using Notes = std::vector<std::string>;
/// A key that stock files carry and that has no effect here: taken, and told at start.
void take_note(const service::ConfigNode& node, std::string_view why, Notes& notes);

/// The same of several keys of one map.
void take_notes(const service::ConfigNode& node, std::initializer_list<std::string_view> keys,
                std::string_view why, Notes& notes);
/// A key that stock files may carry and that cannot be honoured, where to pass it over would do
/// otherwise than the file says: an error at its line.
void refuse_key(const service::ConfigNode& node, std::string_view why);

/// What a part's reader is given beside its own keys.
struct PartContext {
  const std::map<std::string, std::string>& bearer_tokens;  ///< bearertokenauth id → header value
  Notes& notes;
};

}  // namespace vigia::collector::config
