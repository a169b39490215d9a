// Which words and functions a Prometheus takes: its version, and what it was started with.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace vigia::promql {

/// The language as it was in 2.42 (and the 2.x series), or as it is in 3.x.
enum class Dialect : std::uint8_t { kPrometheus2, kPrometheus3 };

/// The newest 3.x whose language is known here, by its changelog and its grammar.
inline constexpr int kNewestMinor = 14;

/// What `--enable-feature` switches on. A version that has the word without a flag has the feature.
struct LanguageFeatures {
  bool experimental_functions = true;  ///< promql-experimental-functions
  bool length_expressions = true;      ///< promql-duration-expr; without a flag since 3.14
  bool extended_ranges = true;         ///< promql-extended-range-selectors
  bool fill_modifiers = true;          ///< promql-binop-fill-modifiers
  bool operator==(const LanguageFeatures&) const = default;
};

/// The language of one Prometheus, or what several of them take.
struct Language {
  /// The newest of that dialect that is known, with every feature.
  constexpr Language(Dialect of)  // NOLINT(google-explicit-constructor): a dialect is a language
      : dialect(of), minor(of == Dialect::kPrometheus3 ? kNewestMinor : 42) {}
  constexpr Language(Dialect of, int minor_version, LanguageFeatures switched_on)
      : dialect(of), minor(minor_version), features(switched_on) {}

  constexpr bool is_new() const { return dialect == Dialect::kPrometheus3; }
  /// 3.`minor_version` or newer.
  constexpr bool is_since(int minor_version) const { return is_new() && minor >= minor_version; }

  Dialect dialect;
  int minor;  ///< 5 of 3.5.0
  LanguageFeatures features;
  /// A 3.x may have to evaluate what is read as 2.x: what 3.0 took out of the language is none.
  bool is_for_both = false;
  bool operator==(const Language&) const = default;
};

/// The language of a store that calls itself `version` ("3.5.0", "2.42.0+ds") and was started with
/// `features`, names with commas between them; all of them where it does not say. What is neither
/// 2.x nor 3.x is the newest that is known. Nothing where it has no version.
std::optional<Language> language_of(std::string_view version,
                                    std::optional<std::string_view> features);

/// Whether the language of the first version is the older one.
bool is_older(std::string_view version, std::string_view than);

/// What a store of either takes, read as the older of the two reads it.
Language common_language(const Language& left, const Language& right);

}  // namespace vigia::promql
