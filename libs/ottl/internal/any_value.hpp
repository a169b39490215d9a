// Values as they lie in messages, nested ones too.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "libs/ottl/evaluation.hpp"
#include "libs/ottl/value.hpp"

namespace vigia::ottl::internal {

/// Of an encoded AnyValue. All of these throw protozero::exception on damaged bytes.
Value read_any_value(std::string_view any_value);
/// Appends an encoded AnyValue. False for a time or a duration, which none can hold.
bool append_any_value(std::string& out, const Value& value);
/// Appends an entry of a KeyValueList, an element of an ArrayValue.
void append_entry(std::string& out, std::string_view key, std::string_view any_value);
void append_element(std::string& out, std::string_view any_value);

std::size_t elements_of(std::string_view array);

/// One key of a path, as it is for this item.
struct KeyNow {
  bool is_text = true;
  std::string_view text = {};
  std::int64_t index = 0;
};

enum class Missing : std::uint8_t { kIsNil, kIsFault };

/// What lies under the keys. False with a fault where one cannot be asked for; where there is none
/// it is nil, or a fault.
bool find_in(Evaluation& evaluation, Value from, std::span<const KeyNow> keys, Value& out,
             Missing missing = Missing::kIsNil);
/// Appends the AnyValue with what lies under the keys replaced by `any_value`. False with a fault.
bool append_with(Evaluation& evaluation, std::string& out, std::string_view whole,
                 std::span<const KeyNow> keys, std::string_view any_value);

}  // namespace vigia::ottl::internal
