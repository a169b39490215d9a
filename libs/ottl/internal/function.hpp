// Functions, and their calls ready to be run.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "libs/ottl/context.hpp"
#include "libs/ottl/internal/getter.hpp"
#include "libs/ottl/internal/path.hpp"
#include "libs/ottl/text_regex.hpp"

namespace vigia::ottl::internal {

/// What an argument has to be.
enum class ParameterForm : std::uint8_t {
  kTarget,       ///< a path that can be set
  kMapTarget,    ///< a path to a map
  kAny,          ///< a value of any kind
  kString,       ///< a value that is a text; anything else is a fault
  kStringLike,   ///< a value that becomes a text
  kInt,          ///< a value that is an int
  kNumberLike,   ///< a value that becomes a number
  kMap,          ///< a value that is a map
  kList,         ///< a value that is a list
  kRegex,        ///< a regex, written as a string
  kGlob,         ///< a text with * and ?, written as a string
  kReplacement,  ///< what stands in the place of a match of the regex before it
  kText,         ///< written as a string
  kWhole,        ///< written as an int
  kFlag,         ///< true or false
  kTexts,        ///< strings, written as a list
  kValues,       ///< values, written as a list
  kFunction      ///< the name of a converter that makes a text of a text
};

struct Parameter {
  std::string_view name;  ///< by which it may be given
  ParameterForm form = ParameterForm::kAny;
  bool is_optional = false;
  /// What an argument is that is written here; nil: anything.
  ValueForm literal = ValueForm::kNil;
};

struct Call;
struct Function;

/// One argument; which members are set goes by the parameter's form.
struct Slot {
  bool is_given = false;
  std::size_t offset = 0;
  GetterPtr getter;
  std::unique_ptr<Path> path;
  std::optional<TextRegex> regex;
  std::optional<MatchTemplate> replacement;  ///< where it is the same for all
  std::string text;
  std::int64_t whole = 0;
  bool flag = false;
  std::vector<std::string> texts;
  std::vector<GetterPtr> values;
  std::unique_ptr<Call> applied;  ///< of the evaluation's argument
  Slot();
  Slot(Slot&&) noexcept;
  Slot& operator=(Slot&&) noexcept;
  ~Slot();
};

struct Call {
  const Function* function = nullptr;
  std::size_t offset = 0;
  std::vector<Slot> slots;  ///< one for each parameter
};

/// Gives `out`, where it is a converter. False with a fault.
using RunFunction = bool (*)(const Call& call, Evaluation& evaluation, Value& out);
/// What is wrong with the arguments, "" for nothing; when a file is loaded.
using CheckFunction = std::string (*)(const Call& call);

struct Function {
  std::string_view name;
  std::span<const Parameter> parameters;
  RunFunction run;
  /// The kind that a converter always gives; nil: it goes by the arguments.
  ValueForm result = ValueForm::kNil;
  CheckFunction check = nullptr;
  /// Where it may stand alone; nothing: everywhere.
  std::optional<Context> only_in = std::nullopt;
};

std::span<const Function> editors();
std::span<const Function> replace_editors();
std::span<const Function> shape_editors();
std::span<const Function> text_converters();
std::span<const Function> case_converters();
std::span<const Function> parse_converters();
std::span<const Function> map_converters();
std::span<const Function> value_converters();
std::span<const Function> time_converters();
/// Names in order, as a list for messages.
std::string editor_names();
std::string converter_names();
/// Null for a name that no function has.
const Function* find_function(std::string_view name);

// Arguments of a call, for one record. All are false with a fault.

bool get_string(const Call& call, std::size_t slot, Evaluation& evaluation, std::string_view& out);
bool get_int(const Call& call, std::size_t slot, Evaluation& evaluation, std::int64_t& out);
/// Nothing in `out` for nil.
bool get_text_like(const Getter& getter, Evaluation& evaluation,
                   std::optional<std::string_view>& out);
/// The value as a text: numbers, true and false, bytes in hexadecimal digits, maps and lists as
/// JSON.
bool text_of(Evaluation& evaluation, const Value& value, std::string_view& out);

}  // namespace vigia::ottl::internal
