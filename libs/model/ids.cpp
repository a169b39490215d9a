#include "libs/model/ids.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace vigia {
namespace {

// With an underscore, which no id of a customer may have: nobody can be given this one.
constexpr std::string_view kProvider = "_provider";
constexpr std::size_t kAlphanumericsMax = 63;  // the dashes between them come on top
constexpr std::size_t kNodeCharactersMax = 128;

bool is_lower_alphanumeric(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); }

// Alphanumerics with single separators between them; `is_inner` and `is_separator` say which
// characters are which.
template <typename Inner, typename Separator>
bool is_separated_word(std::string_view text, Inner is_inner, Separator is_separator) {
  bool after_separator = true;  // the first character must not be a separator
  for (const char c : text) {
    if (is_inner(c)) {
      after_separator = false;
    } else if (is_separator(c) && !after_separator) {
      after_separator = true;
    } else {
      return false;
    }
  }
  return !after_separator;
}

}  // namespace

Result<CustomerId> CustomerId::parse(std::string_view text) {
  const auto alphanumerics =
      static_cast<std::size_t>(std::count_if(text.begin(), text.end(), is_lower_alphanumeric));
  if (alphanumerics > kAlphanumericsMax ||
      !is_separated_word(text, is_lower_alphanumeric, [](char c) { return c == '-'; })) {
    return fail(ErrorCode::kInvalid, fmt::format("\"{}\" is not a customer id: use lower-case "
                                                 "letters and digits with single dashes between "
                                                 "them, at most 63 letters and digits",
                                                 text.substr(0, 80)));
  }
  return CustomerId(std::string(text));
}

CustomerId CustomerId::provider() { return CustomerId(std::string(kProvider)); }

bool CustomerId::is_provider() const { return text_ == kProvider; }

Result<NodeId> NodeId::parse(std::string_view text) {
  const auto is_inner = [](char c) { return is_lower_alphanumeric(c) || (c >= 'A' && c <= 'Z'); };
  if (text.size() > kNodeCharactersMax ||
      !is_separated_word(text, is_inner, [](char c) { return c == '-' || c == '.'; })) {
    return fail(ErrorCode::kInvalid, fmt::format("\"{}\" is not a node id: use letters and digits "
                                                 "with single dashes or dots between them, "
                                                 "at most {} characters",
                                                 text.substr(0, 140), kNodeCharactersMax));
  }
  return NodeId(std::string(text));
}

}  // namespace vigia
