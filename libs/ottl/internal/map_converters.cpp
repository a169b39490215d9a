// Converters of maps and lists, and of what may be missing.
#include <array>

#include "libs/ottl/internal/function.hpp"
#include "libs/wire/edit/value.hpp"
#include "libs/wire/otlp/attributes.hpp"
#include "libs/wire/otlp/fields.hpp"

namespace vigia::ottl::internal {
namespace {

using wire::otlp::ValuesField;

template <bool kOfKeys>
bool parts_of_map(const Call& call, Evaluation& evaluation, Value& out) {
  Value map;
  if (!call.slots[0].getter->get(evaluation, map)) return false;
  if (map.kind != ValueForm::kMap)
    return evaluation.fail("this argument is no map", call.slots[0].offset);
  evaluation.charge(map.bytes.size());
  std::string& array = evaluation.make();
  wire::otlp::for_each_attribute(
      {map.bytes, ValuesField::kValues.number}, [&](const wire::otlp::KeyValueView& entry) {
        if (kOfKeys) {
          append_element(array,
                         wire::edit::encoded_value(wire::edit::ValueView::of_text(entry.key)));
        } else {
          append_element(array, entry.value);
        }
      });
  out = Value::of_list(array);
  return evaluation.keep(array);
}

/// The first that is there.
bool coalesce(const Call& call, Evaluation& evaluation, Value& out) {
  out = {};
  for (const GetterPtr& getter : call.slots[0].values) {
    if (!getter->get(evaluation, out)) return false;
    if (!out.is_nil()) return true;
  }
  return true;
}

std::string check_coalesce(const Call& call) {
  return call.slots[0].values.empty() ? "a value is missing" : "";
}

/// Nothing, or what its kind begins with: "", 0, false, no entries.
bool is_empty(const Call& call, Evaluation& evaluation, Value& out) {
  Value value;
  if (!call.slots[0].getter->get(evaluation, value)) return false;
  switch (value.kind) {
    case ValueForm::kNil:
      out = Value::of_bool(true);
      return true;
    case ValueForm::kDouble:
      out = Value::of_bool(value.real == 0);
      return true;
    case ValueForm::kString:
    case ValueForm::kBytes:
    case ValueForm::kMap:
    case ValueForm::kList:
      out = Value::of_bool(value.bytes.empty());
      return true;
    default:
      out = Value::of_bool(value.integer == 0);
      return true;
  }
}

/// Where a text stands in a text, or a value in a list; -1 where it does not.
bool index_of(const Call& call, Evaluation& evaluation, Value& out) {
  Value target;
  Value wanted;
  if (!call.slots[0].getter->get(evaluation, target) ||
      !call.slots[1].getter->get(evaluation, wanted))
    return false;
  out = Value::of_int(-1);
  evaluation.charge(target.bytes.size());
  if (target.kind == ValueForm::kString) {
    if (wanted.kind != ValueForm::kString)
      return evaluation.fail("only a text stands in a text", call.slots[1].offset);
    const std::size_t at = target.bytes.find(wanted.bytes);
    if (at != std::string_view::npos) out = Value::of_int(static_cast<std::int64_t>(at));
    return true;
  }
  if (target.kind != ValueForm::kList)
    return evaluation.fail("this argument is neither a text nor a list", call.slots[0].offset);
  std::int64_t at = 0;
  wire::otlp::FieldReader reader(target.bytes);
  while (reader.next()) {
    if (reader.tag_and_type() != ValuesField::kValues.tag) {
      reader.skip();
      continue;
    }
    evaluation.charge(wanted.bytes.size());  // once more for each element
    if (compare(read_any_value(reader.bytes()), wanted, Comparison::kEqual)) {
      out = Value::of_int(at);
      return true;
    } else {
      ++at;
    }
  }
  return true;
}

constexpr std::array<Parameter, 1> kMap{{{"target", ParameterForm::kMap}}};
constexpr std::array<Parameter, 1> kAny{{{"target", ParameterForm::kAny}}};
constexpr std::array<Parameter, 1> kValues{{{"values", ParameterForm::kValues}}};
constexpr std::array<Parameter, 2> kIndex{
    {{"target", ParameterForm::kAny}, {"value", ParameterForm::kAny}}};

constexpr std::array kConverters{
    Function{"Keys", kMap, parts_of_map<true>, ValueForm::kList},
    Function{"Values", kMap, parts_of_map<false>, ValueForm::kList},
    Function{"Coalesce", kValues, coalesce, ValueForm::kNil, check_coalesce},
    Function{"IsEmpty", kAny, is_empty, ValueForm::kBool},
    Function{"Index", kIndex, index_of, ValueForm::kInt},
};

}  // namespace

std::span<const Function> map_converters() { return kConverters; }

}  // namespace vigia::ottl::internal
