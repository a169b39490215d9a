// What is done to the attributes of one message.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "libs/wire/edit/editable.hpp"

namespace re2 {
class RE2;
}

namespace vigia::collector::processors::attributes {

enum class ActionKind : std::uint8_t {
  kInsert,   ///< where the key is not there
  kUpdate,   ///< where it is
  kUpsert,   ///< either way
  kDelete,   ///< that key, and those that the pattern matches
  kHash,     ///< likewise; SHA-256 in hexadecimal digits
  kExtract,  ///< the pattern's named groups become attributes of those names
  kConvert,  ///< to another type, where that can be
};

enum class ConvertedType : std::uint8_t { kText, kInt, kDouble };

struct Action {
  ActionKind kind = ActionKind::kInsert;
  std::string key = {};
  std::optional<std::string> value = {};  ///< an encoded AnyValue
  std::string from_attribute = {};        ///< where there is no value
  std::optional<std::string> default_value = {};
  std::shared_ptr<const re2::RE2> pattern = nullptr;  // shared by the stages of all signals
  std::vector<std::string> groups = {};               ///< names of the pattern's groups, in order
  ConvertedType converted = ConvertedType::kText;
};

/// Does them one after another, each on what the one before has left. Throws protozero::exception
/// on damaged bytes. Thread contract: any thread, on different messages.
void apply_actions(const std::vector<Action>& actions, wire::edit::Editable& message);

}  // namespace vigia::collector::processors::attributes
