#include "libs/wire/prometheus_api/json_walk.hpp"

#include <algorithm>
#include <array>
#include <optional>

namespace vigia::wire::prometheus_api {
namespace {

bool is_digit(char letter) { return letter >= '0' && letter <= '9'; }

bool is_space(char letter) {
  return letter == ' ' || letter == '\n' || letter == '\r' || letter == '\t';
}

bool is_hex(char letter) {
  return is_digit(letter) || (letter >= 'a' && letter <= 'f') || (letter >= 'A' && letter <= 'F');
}

constexpr unsigned char kFirstOfText = 0x20;  // what is below must be escaped
constexpr unsigned char kFirstOfMany = 0x80;  // letters of several bytes

/// What a string holds that ends nothing and begins nothing: nearly all of it.
constexpr std::array<bool, 256> kIsPlain = [] {
  std::array<bool, 256> plain{};
  for (std::size_t i = kFirstOfText; i < kFirstOfMany; ++i) plain[i] = i != '"' && i != '\\';
  return plain;
}();

const char* end_of_plain(const char* at, const char* end) {
  while (at != end && kIsPlain[static_cast<unsigned char>(*at)]) ++at;
  return at;
}

const char* end_of_digits(const char* at, const char* end) {
  while (at != end && is_digit(*at)) ++at;
  return at;
}

/// Behind one sample, `[1700000000.123,"1.5"]`, or null where it is another value, is spelled in
/// another way, or is not here to its end.
const char* behind_sample(const char* at, const char* end) {
  if (end - at < 2 || at[0] != '[' || !is_digit(at[1]) || at[1] == '0') return nullptr;
  at = end_of_digits(at + 1, end);
  if (end - at >= 2 && at[0] == '.' && is_digit(at[1])) at = end_of_digits(at + 1, end);
  if (end - at < 2 || at[0] != ',' || at[1] != '"') return nullptr;
  at = end_of_plain(at + 2, end);
  return end - at >= 2 && at[0] == '"' && at[1] == ']' ? at + 2 : nullptr;
}

}  // namespace

bool JsonWalk::take(std::string_view bytes) {
  if (!is_good_) return false;
  piece_ = bytes.data();
  end_ = piece_ + bytes.size();
  const char* at = piece_;
  while (at != nullptr && at != end_) at = walk(at);
  is_good_ = at != nullptr;
  taken_ += bytes.size();
  return is_good_;
}

const char* JsonWalk::walk(const char* at) {
  switch (step_) {
    case Step::kString:
      return walk_string(at);
    case Step::kNumber:
      return walk_number(at);
    case Step::kEscape:
      return walk_escape(at);
    case Step::kHex:
      return walk_hex(at);
    case Step::kContinuation:
      return walk_continuation(at);
    case Step::kLiteral:
      return walk_literal(at);
    default:
      return is_space(*at) ? at + 1 : walk_structure(at);
  }
}

const char* JsonWalk::walk_structure(const char* at) {
  switch (step_) {
    case Step::kValueOrEnd:
      if (*at == ']') return end_container(at);
      return begin_value(at);
    case Step::kValue:
      return begin_value(at);
    case Step::kKeyOrEnd:
      if (*at == '}') return end_container(at);
      return begin_string(at, true);
    case Step::kKey:
      return begin_string(at, true);
    case Step::kColon:
      step_ = Step::kValue;
      return *at == ':' ? at + 1 : nullptr;
    case Step::kAfter:
      if (*at == ',') return comma(at);
      return *at == (is_in_object() ? '}' : ']') ? end_container(at) : nullptr;
    default:
      return nullptr;  // behind the whole text
  }
}

/// Samples in a row are nearly all that large answers hold: twice as fast as letter by letter.
/// Gives where they end; `at` itself where none begins there.
const char* JsonWalk::walk_samples(const char* at) {
  if (is_told() || is_in_object() || depth_ == kDepthMax) return at;
  const char* behind = at;
  while (const char* next = behind_sample(at, end_)) {
    step_ = Step::kAfter;
    behind = next;
    if (next == end_ || *next != ',') break;
    at = next + 1;
  }
  return behind;
}

const char* JsonWalk::begin_value(const char* at) {
  if (is_told()) listener_.on_begin(depth_, offset(at));
  if (const char* behind = walk_samples(at); behind != at) return behind;
  switch (*at) {
    case '{':
      return begin_container(at, true);
    case '[':
      return begin_container(at, false);
    case '"':
      return begin_string(at, false);
    case 't':
      return begin_literal(at, "true");
    case 'f':
      return begin_literal(at, "false");
    case 'n':
      return begin_literal(at, "null");
    default:
      break;
  }
  if (*at != '-' && !is_digit(*at)) return nullptr;
  step_ = Step::kNumber;
  number_ = *at == '-' ? Number::kMinus : *at == '0' ? Number::kZero : Number::kInteger;
  return at + 1;
}

const char* JsonWalk::begin_string(const char* at, bool is_key) {
  if (*at != '"') return nullptr;
  is_key_ = is_key;
  if (is_key) key_.clear();
  step_ = Step::kString;
  return at + 1;
}

const char* JsonWalk::begin_literal(const char* at, std::string_view text) {
  literal_left_ = text.substr(1);
  step_ = Step::kLiteral;
  return at + 1;
}

const char* JsonWalk::begin_container(const char* at, bool is_object) {
  if (depth_ == kDepthMax) return nullptr;
  objects_[depth_++] = is_object;
  step_ = is_object ? Step::kKeyOrEnd : Step::kValueOrEnd;
  return at + 1;
}

const char* JsonWalk::end_container(const char* at) {
  --depth_;
  end_value(at + 1);
  return at + 1;
}

const char* JsonWalk::comma(const char* at) {
  if (is_told()) listener_.on_comma(depth_, offset(at));
  step_ = is_in_object() ? Step::kKey : Step::kValue;
  return at + 1;
}

void JsonWalk::end_value(const char* behind) {
  step_ = depth_ == 0 ? Step::kDone : Step::kAfter;
  if (is_told()) listener_.on_end(depth_, offset(behind));
}

const char* JsonWalk::walk_string(const char* at) {
  const char* const text_end = end_of_plain(at, end_);
  if (is_key_ && is_told() && key_.size() < kKeyBytesMax) {
    const auto size = static_cast<std::size_t>(text_end - at);
    key_.append(at, std::min(size, kKeyBytesMax - key_.size()));
  }
  if (text_end == end_) return end_;
  if (*text_end == '"') {
    end_string(text_end + 1);
    return text_end + 1;
  }
  if (is_key_ && key_.size() < kKeyBytesMax) key_ += *text_end;
  if (*text_end != '\\') {
    return begin_letter(static_cast<unsigned char>(*text_end)) ? text_end + 1 : nullptr;
  }
  step_ = Step::kEscape;
  return text_end + 1;
}

void JsonWalk::end_string(const char* behind) {
  if (!is_key_) return end_value(behind);
  step_ = Step::kColon;
  if (is_told()) listener_.on_key(depth_, key_);
}

const char* JsonWalk::walk_escape(const char* at) {
  constexpr std::string_view kEscapes = "\"\\/bfnrt";
  step_ = *at == 'u' ? Step::kHex : Step::kString;
  hex_left_ = 4;
  return *at == 'u' || kEscapes.find(*at) != std::string_view::npos ? at + 1 : nullptr;
}

const char* JsonWalk::walk_hex(const char* at) {
  if (!is_hex(*at)) return nullptr;
  if (--hex_left_ == 0) step_ = Step::kString;
  return at + 1;
}

/// Which bytes may follow: RFC 3629, section 4. Nothing overlong, no surrogates, nothing beyond
/// U+10FFFF.
bool JsonWalk::begin_letter(unsigned char lead) {
  struct Row {
    unsigned char first, last, left, min, max;
  };
  constexpr std::array<Row, 8> kRows{{{0xC2, 0xDF, 1, 0x80, 0xBF},
                                      {0xE0, 0xE0, 2, 0xA0, 0xBF},
                                      {0xE1, 0xEC, 2, 0x80, 0xBF},
                                      {0xED, 0xED, 2, 0x80, 0x9F},
                                      {0xEE, 0xEF, 2, 0x80, 0xBF},
                                      {0xF0, 0xF0, 3, 0x90, 0xBF},
                                      {0xF1, 0xF3, 3, 0x80, 0xBF},
                                      {0xF4, 0xF4, 3, 0x80, 0x8F}}};
  for (const Row& row : kRows) {
    if (lead < row.first || lead > row.last) continue;
    continuation_left_ = row.left;
    continuation_min_ = row.min;
    continuation_max_ = row.max;
    step_ = Step::kContinuation;
    return true;
  }
  return false;
}

const char* JsonWalk::walk_continuation(const char* at) {
  const auto byte = static_cast<unsigned char>(*at);
  if (byte < continuation_min_ || byte > continuation_max_) return nullptr;
  continuation_min_ = 0x80;
  continuation_max_ = 0xBF;
  if (--continuation_left_ == 0) step_ = Step::kString;
  return at + 1;
}

/// Whether any number of digits may follow, or none.
bool JsonWalk::has_digits(Number number) {
  return number == Number::kInteger || number == Number::kFraction ||
         number == Number::kExponentDigits;
}

/// Nothing where the number does not go on so.
std::optional<JsonWalk::Number> JsonWalk::next_step(Number number, char letter) {
  const bool is_integer = number == Number::kInteger || number == Number::kZero;
  if (is_digit(letter)) {
    if (number == Number::kZero) return std::nullopt;
    if (number == Number::kMinus) return letter == '0' ? Number::kZero : Number::kInteger;
    return number == Number::kPoint ? Number::kFraction : Number::kExponentDigits;
  }
  if (letter == '.' && is_integer) return Number::kPoint;
  if ((letter == 'e' || letter == 'E') && (is_integer || number == Number::kFraction)) {
    return Number::kExponent;
  }
  const bool is_sign = letter == '+' || letter == '-';
  return is_sign && number == Number::kExponent ? std::optional(Number::kExponentSign)
                                                : std::nullopt;
}

const char* JsonWalk::walk_number(const char* at) {
  if (has_digits(number_)) at = end_of_digits(at, end_);
  if (at == end_) return at;
  if (const auto next = next_step(number_, *at)) {
    number_ = *next;
    return at + 1;
  }
  if (!has_digits(number_) && number_ != Number::kZero) return nullptr;
  end_value(at);
  return at;
}

const char* JsonWalk::walk_literal(const char* at) {
  if (*at != literal_left_.front()) return nullptr;
  literal_left_.remove_prefix(1);
  if (literal_left_.empty()) end_value(at + 1);
  return at + 1;
}

}  // namespace vigia::wire::prometheus_api
