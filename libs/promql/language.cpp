#include "libs/promql/language.hpp"

#include <algorithm>
#include <charconv>
#include <tuple>

namespace vigia::promql {
namespace {

// 3.14 reads arithmetic of lengths however it was started.
constexpr int kLengthsAreStable = 14;

bool is_listed(std::string_view features, std::string_view wanted) {
  while (!features.empty()) {
    const std::size_t comma = std::min(features.find(','), features.size());
    std::string_view name = features.substr(0, comma);
    while (name.starts_with(' ')) name.remove_prefix(1);
    while (name.ends_with(' ')) name.remove_suffix(1);
    if (name == wanted) return true;
    features.remove_prefix(std::min(comma + 1, features.size()));
  }
  return false;
}

/// 5 of "3.5.0-rc.1", if it begins with `major`.
std::optional<int> minor_of(std::string_view version, std::string_view major) {
  if (!version.starts_with(major)) return std::nullopt;
  version.remove_prefix(major.size());
  int minor = 0;
  const auto [stop, failure] =
      std::from_chars(version.data(), version.data() + version.size(), minor);
  if (failure != std::errc{} || stop == version.data()) return std::nullopt;
  return minor;
}

}  // namespace

std::optional<Language> language_of(std::string_view version,
                                    std::optional<std::string_view> features) {
  if (version.empty()) return std::nullopt;
  if (version.starts_with('v')) version.remove_prefix(1);
  if (version.starts_with("2.")) {
    return Language(Dialect::kPrometheus2, minor_of(version, "2.").value_or(42), {});
  }
  Language language(Dialect::kPrometheus3);
  language.minor = minor_of(version, "3.").value_or(kNewestMinor);
  if (features) {
    language.features = {is_listed(*features, "promql-experimental-functions"),
                         is_listed(*features, "promql-duration-expr"),
                         is_listed(*features, "promql-extended-range-selectors"),
                         is_listed(*features, "promql-binop-fill-modifiers")};
  }
  if (language.minor >= kLengthsAreStable) language.features.length_expressions = true;
  return language;
}

bool is_older(std::string_view version, std::string_view than) {
  const auto one = language_of(version, std::nullopt);
  const auto other = language_of(than, std::nullopt);
  return one && other &&
         std::tie(one->dialect, one->minor) < std::tie(other->dialect, other->minor);
}

Language common_language(const Language& left, const Language& right) {
  const bool is_left = std::tie(left.dialect, left.minor) <= std::tie(right.dialect, right.minor);
  Language common = is_left ? left : right;
  common.is_for_both = left.is_for_both || right.is_for_both || left.dialect != right.dialect;
  const LanguageFeatures& other = is_left ? right.features : left.features;
  LanguageFeatures& own = common.features;
  own.experimental_functions = own.experimental_functions && other.experimental_functions;
  own.length_expressions = own.length_expressions && other.length_expressions;
  own.extended_ranges = own.extended_ranges && other.extended_ranges;
  own.fill_modifiers = own.fill_modifiers && other.fill_modifiers;
  return common;
}

}  // namespace vigia::promql
