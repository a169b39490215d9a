// Converters of the case of texts.
#include <array>

#include "libs/ottl/internal/function.hpp"

namespace vigia::ottl::internal {
namespace {

bool is_lower(char c) { return c >= 'a' && c <= 'z'; }
bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_between_words(char c) { return c == '_' || c == ' ' || c == '-' || c == '.'; }
constexpr char kCaseStep = 'a' - 'A';
char lower(char c) { return is_upper(c) ? static_cast<char>(c + kCaseStep) : c; }

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kSpace = " \t\n\v\f\r";
  const std::size_t begin = text.find_first_not_of(kSpace);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kSpace) - begin + 1);
}

/// ASCII, and À to Þ, whose small letters lie 32 further; × between them has none.
bool has_case(std::string_view text, std::size_t at, unsigned char first, unsigned char last,
              unsigned char sign) {
  if (at == 0 || static_cast<unsigned char>(text[at - 1]) != 0xc3) return false;
  const auto byte = static_cast<unsigned char>(text[at]);
  return byte >= first && byte <= last && byte != sign;
}

void append_lower(std::string& out, std::string_view text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    const bool has_lower = is_upper(c) || has_case(text, i, 0x80, 0x9e, 0x97);
    out += has_lower ? static_cast<char>(c + kCaseStep) : c;
  }
}

void append_upper(std::string& out, std::string_view text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    const bool has_upper = is_lower(c) || has_case(text, i, 0xa0, 0xbe, 0xb7);
    out += has_upper ? static_cast<char>(c - kCaseStep) : c;
  }
}

/// Whether a word ends behind this character: where small letters, capitals and digits meet. A
/// capital before a small letter begins one, and the last of several capitals does.
bool ends_word(char c, char next) {
  if (is_lower(c)) return is_upper(next) || is_digit(next);
  if (is_upper(c)) return is_digit(next);
  return is_digit(c) && (is_upper(next) || is_lower(next));
}

/// "requestID2 now" becomes "request_id_2_now".
void append_snake(std::string& out, std::string_view text) {
  text = trimmed(text);
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    const char next = i + 1 < text.size() ? text[i + 1] : '\0';
    if (is_upper(c) && is_lower(next) && i > 0 && is_upper(text[i - 1])) out += '_';
    out += is_between_words(c) ? '_' : lower(c);
    if (ends_word(c, next)) out += '_';
  }
}

/// "request_id 2now" becomes "RequestId2Now": only letters and digits of ASCII stay.
void append_camel(std::string& out, std::string_view text) {
  bool begins = true;
  bool is_behind_capital = false;
  for (const char c : trimmed(text)) {
    if (is_lower(c)) {
      out += begins ? static_cast<char>(c - kCaseStep) : c;
    } else if (is_upper(c)) {
      out += !begins && is_behind_capital ? lower(c) : c;
    } else if (is_digit(c)) {
      out += c;
    }
    is_behind_capital = is_upper(c);
    begins = is_digit(c) || is_between_words(c);
  }
}

template <void (*kAppend)(std::string&, std::string_view)>
bool change_case(const Call& call, Evaluation& evaluation, Value& out) {
  std::string_view text;
  if (!get_string(call, 0, evaluation, text)) return false;
  evaluation.charge(text.size());
  std::string& made = evaluation.make();
  kAppend(made, text);
  out = Value::of_string(made);
  return evaluation.keep(made);
}

bool convert_case(const Call& call, Evaluation& evaluation, Value& out) {
  const std::string& to = call.slots[1].text;
  if (to == "lower") return change_case<append_lower>(call, evaluation, out);
  if (to == "upper") return change_case<append_upper>(call, evaluation, out);
  return to == "snake" ? change_case<append_snake>(call, evaluation, out)
                       : change_case<append_camel>(call, evaluation, out);
}

std::string check_case(const Call& call) {
  const std::string& to = call.slots[1].text;
  const bool is_known = to == "lower" || to == "upper" || to == "snake" || to == "camel";
  return is_known ? "" : "to_case is \"lower\", \"upper\", \"snake\" or \"camel\"";
}

constexpr std::array<Parameter, 1> kText{{{"target", ParameterForm::kString}}};
constexpr std::array<Parameter, 2> kCase{
    {{"target", ParameterForm::kString}, {"to_case", ParameterForm::kText}}};
constexpr ValueForm kString = ValueForm::kString;

constexpr std::array kConverters{
    Function{"ToLowerCase", kText, change_case<append_lower>, kString},
    Function{"ToUpperCase", kText, change_case<append_upper>, kString},
    Function{"ToSnakeCase", kText, change_case<append_snake>, kString},
    Function{"ToCamelCase", kText, change_case<append_camel>, kString},
    Function{"ConvertCase", kCase, convert_case, kString, check_case},
};

}  // namespace

std::span<const Function> case_converters() { return kConverters; }

}  // namespace vigia::ottl::internal
