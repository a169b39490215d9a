// Editors that put something in the place of what is found in texts.
#include <algorithm>
#include <array>

#include "libs/ottl/internal/function.hpp"
#include "libs/ottl/limits.hpp"
#include "libs/wire/edit/value.hpp"

namespace vigia::ottl::internal {
namespace {

/// Where the arguments behind the target and the pattern stand.
struct ReplacementSlots {
  std::size_t text;
  std::size_t function;
  std::size_t format;
};
constexpr ReplacementSlots kBehindPattern{2, 3, 4};
constexpr ReplacementSlots kBehindMode{3, 4, 5};

/// What the call's function makes of the text, in its format; without one the text. False with a
/// fault.
bool apply(const Call& call, const ReplacementSlots& slots, Evaluation& evaluation,
           std::string_view text, std::string& out) {
  const Slot& function = call.slots[slots.function];
  if (!function.applied) {
    out += text;
    return true;
  }
  Value made;
  evaluation.set_argument(text);
  if (!function.applied->function->run(*function.applied, evaluation, made)) return false;
  if (made.kind != ValueForm::kString)
    return evaluation.fail("this function gives no text", function.offset);
  const std::string& format = call.slots[slots.format].text;
  if (format.empty()) {
    out += made.bytes;
    return true;
  }
  const std::size_t place = format.find("%s");
  out.append(format, 0, place);
  out += made.bytes;
  out.append(format, place + 2);
  return true;
}

/// The replacement of a call for one record: the template that a file holds, or one of what it is
/// now. Evaluated also where nothing matches, as upstream does: it may be a fault.
class Replacing {
 public:
  /// False with a fault.
  bool begin(const Call& call, const ReplacementSlots& slots, Evaluation& evaluation) {
    call_ = &call;
    slots_ = slots;
    const Slot& by = call.slots[slots.text];
    if (by.replacement) {
      template_ = &*by.replacement;
      return true;
    }
    std::string_view text;
    if (!get_string(call, slots.text, evaluation, text)) return false;
    own_.emplace(text, regex());
    template_ = &*own_;
    return true;
  }
  const TextRegex& regex() const { return *call_->slots[slots_.text - 1].regex; }

  /// The text with its matches replaced. False with a fault.
  bool replace(Evaluation& evaluation, std::string_view text, std::string& out) const {
    constexpr ReplaceLimits kLimits{kMessageBytesMax, kReplaceWorkBytesMax};
    std::uint64_t work = 0;
    const bool has_function = call_->slots[slots_.function].applied != nullptr;
    const auto done = has_function ? replace_by_function(evaluation, text, kLimits, out, work)
                                   : replace_matches(regex(), *template_, text, kLimits, out, work);
    evaluation.charge(work);
    if (done == Replaced::kFailed) return false;
    if (done == Replaced::kTooMuch)
      return evaluation.fail("so many matches in so long a text are not replaced", call_->offset);
    return evaluation.keep(out);
  }

 private:
  Replaced replace_by_function(Evaluation& evaluation, std::string_view text,
                               const ReplaceLimits& limits, std::string& out,
                               std::uint64_t& work) const {
    std::string& expanded = evaluation.make();
    return replace_matches(
        regex(),
        [&](std::string& into, std::span<const std::string_view> groups) {
          expanded.clear();
          template_->append(expanded, groups);
          return apply(*call_, slots_, evaluation, expanded, into);
        },
        text, limits, out, work);
  }

  const Call* call_ = nullptr;
  ReplacementSlots slots_ = kBehindPattern;
  std::optional<MatchTemplate> own_;
  const MatchTemplate* template_ = nullptr;
};

bool run_replace_pattern(const Call& call, Evaluation& evaluation, Value& /*out*/) {
  Value value;
  if (!call.slots[0].path->get(evaluation, value)) return false;
  if (value.is_nil()) return true;
  Replacing replacing;
  if (!replacing.begin(call, kBehindPattern, evaluation)) return false;
  if (value.kind != ValueForm::kString) return true;
  const TextRegex& regex = *call.slots[1].regex;
  evaluation.charge(regex.work_of(value.bytes.size()));
  if (!regex.is_in(value.bytes)) return true;
  std::string& text = evaluation.make();
  return replacing.replace(evaluation, value.bytes, text) &&
         call.slots[0].path->set(evaluation, Value::of_string(text));
}

/// What stands in the place of a whole text. False with a fault.
bool whole_replacement(const Call& call, Evaluation& evaluation, std::string_view& out) {
  std::string_view text;
  if (!get_string(call, kBehindPattern.text, evaluation, text)) return false;
  std::string& made = evaluation.make();
  if (!apply(call, kBehindPattern, evaluation, text, made)) return false;
  out = made;
  return evaluation.keep(made);
}

bool run_replace_match(const Call& call, Evaluation& evaluation, Value& /*out*/) {
  Value value;
  std::string_view by;
  if (!call.slots[0].path->get(evaluation, value) || !whole_replacement(call, evaluation, by))
    return false;
  if (value.kind != ValueForm::kString) return true;
  const TextRegex& glob = *call.slots[1].regex;
  evaluation.charge(glob.work_of(value.bytes.size()));
  return !glob.is_whole(value.bytes) || call.slots[0].path->set(evaluation, Value::of_string(by));
}

std::string encoded_text(std::string_view text) {
  return wire::edit::encoded_value(wire::edit::ValueView::of_text(text));
}

/// Gives a value another text.
bool put_text(Evaluation& evaluation, MapEntry& entry, std::string_view text) {
  std::string& encoded = evaluation.make();
  encoded = encoded_text(text);
  entry.value = encoded;
  entry.is_changed = true;
  return evaluation.keep(encoded);
}

bool run_replace_all_patterns(const Call& call, Evaluation& evaluation, Value& /*out*/) {
  const bool is_of_keys = call.slots[1].text == "key";
  Replacing replacing;
  if (!replacing.begin(call, kBehindMode, evaluation)) return false;
  const TextRegex& regex = replacing.regex();
  return call.slots[0].path->for_each_entry(evaluation, [&](MapEntry& entry) {
    std::string_view text = entry.key;
    if (!is_of_keys) {
      const Value value = read_any_value(entry.value);
      if (value.kind != ValueForm::kString) return true;
      text = value.bytes;
    }
    evaluation.charge(regex.work_of(text.size()));
    if (!regex.is_in(text)) return true;
    std::string& made = evaluation.make();
    if (!replacing.replace(evaluation, text, made)) return false;
    if (!is_of_keys) return put_text(evaluation, entry, made);
    entry.key = made;
    entry.is_changed = true;
    return true;
  });
}

bool run_replace_all_matches(const Call& call, Evaluation& evaluation, Value& /*out*/) {
  const TextRegex& glob = *call.slots[1].regex;
  std::string_view by;
  if (!whole_replacement(call, evaluation, by)) return false;
  return call.slots[0].path->for_each_entry(evaluation, [&](MapEntry& entry) {
    const Value value = read_any_value(entry.value);
    if (value.kind != ValueForm::kString) return true;
    evaluation.charge(glob.work_of(value.bytes.size()));
    return !glob.is_whole(value.bytes) || put_text(evaluation, entry, by);
  });
}

std::string check_format(const Call& call, const ReplacementSlots& slots) {
  const Slot& format = call.slots[slots.format];
  if (!format.is_given) return "";
  const bool has_one = format.text.find("%s") != std::string::npos &&
                       std::count(format.text.begin(), format.text.end(), '%') == 1;
  return has_one ? "" : "the replacement_format has %s once, and no other %";
}

std::string check_behind_pattern(const Call& call) { return check_format(call, kBehindPattern); }

std::string check_all_patterns(const Call& call) {
  const std::string& mode = call.slots[1].text;
  if (mode != "key" && mode != "value") return "the mode is \"key\" or \"value\"";
  return check_format(call, kBehindMode);
}

constexpr Parameter kFunction{"function", ParameterForm::kFunction, true};
constexpr Parameter kFormat{"replacement_format", ParameterForm::kText, true};
constexpr std::array<Parameter, 5> kReplacePattern{{{"target", ParameterForm::kTarget},
                                                    {"regex_pattern", ParameterForm::kRegex},
                                                    {"replacement", ParameterForm::kReplacement},
                                                    kFunction,
                                                    kFormat}};
constexpr std::array<Parameter, 5> kReplaceMatch{{{"target", ParameterForm::kTarget},
                                                  {"pattern", ParameterForm::kGlob},
                                                  {"replacement", ParameterForm::kString},
                                                  kFunction,
                                                  kFormat}};
constexpr std::array<Parameter, 6> kReplaceAllPatterns{
    {{"target", ParameterForm::kMapTarget},
     {"mode", ParameterForm::kText},
     {"regex_pattern", ParameterForm::kRegex},
     {"replacement", ParameterForm::kReplacement},
     kFunction,
     kFormat}};
constexpr std::array<Parameter, 5> kReplaceAllMatches{{{"target", ParameterForm::kMapTarget},
                                                       {"pattern", ParameterForm::kGlob},
                                                       {"replacement", ParameterForm::kString},
                                                       kFunction,
                                                       kFormat}};
constexpr ValueForm kNil = ValueForm::kNil;

constexpr std::array kEditors{
    Function{"replace_pattern", kReplacePattern, run_replace_pattern, kNil, check_behind_pattern},
    Function{"replace_match", kReplaceMatch, run_replace_match, kNil, check_behind_pattern},
    Function{"replace_all_patterns", kReplaceAllPatterns, run_replace_all_patterns, kNil,
             check_all_patterns},
    Function{"replace_all_matches", kReplaceAllMatches, run_replace_all_matches, kNil,
             check_behind_pattern},
};

}  // namespace

std::span<const Function> replace_editors() { return kEditors; }

}  // namespace vigia::ottl::internal
