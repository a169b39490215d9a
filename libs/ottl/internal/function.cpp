#include "libs/ottl/internal/function.hpp"

#include <fmt/format.h>

#include "libs/base/hex.hpp"
#include "libs/wire/otlp/attributes.hpp"

namespace vigia::ottl::internal {

const Function* find_function(std::string_view name) {
  for (const auto functions :
       {editors(), text_converters(), value_converters(), time_converters()}) {
    for (const Function& function : functions) {
      if (function.name == name) return &function;
    }
  }
  return nullptr;
}

bool get_string(const Call& call, std::size_t slot, Evaluation& evaluation, std::string_view& out) {
  Value value;
  if (!call.slots[slot].getter->get(evaluation, value)) return false;
  if (value.kind != ValueForm::kString)
    return evaluation.fail("this argument is no string", call.slots[slot].offset);
  out = value.bytes;
  return true;
}

bool get_int(const Call& call, std::size_t slot, Evaluation& evaluation, std::int64_t& out) {
  Value value;
  if (!call.slots[slot].getter->get(evaluation, value)) return false;
  if (value.kind != ValueForm::kInt)
    return evaluation.fail("this argument is no int", call.slots[slot].offset);
  out = value.integer;
  return true;
}

bool text_of(Evaluation& evaluation, const Value& value, std::string_view& out) {
  if (value.kind == ValueForm::kString) {
    out = value.bytes;
    return true;
  }
  if (value.kind == ValueForm::kTime || value.kind == ValueForm::kDuration)
    return evaluation.fail("a time or a duration is no text: make a number of it");
  std::string& text = evaluation.make();
  if (value.kind == ValueForm::kBytes) {
    text = to_hex(value.bytes);
  } else {
    std::string& any_value = evaluation.make();
    append_any_value(any_value, value);
    wire::otlp::append_value_text(text, any_value);
  }
  evaluation.charge(text.size());
  out = text;
  return evaluation.keep(text);
}

bool get_text_like(const Getter& getter, Evaluation& evaluation,
                   std::optional<std::string_view>& out) {
  Value value;
  if (!getter.get(evaluation, value)) return false;
  out.reset();
  if (value.is_nil()) return true;
  std::string_view text;
  if (!text_of(evaluation, value, text)) return false;
  out = text;
  return true;
}

}  // namespace vigia::ottl::internal
