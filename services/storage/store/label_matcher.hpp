// A label matcher, ready to be asked millions of times.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "libs/base/result.hpp"
#include "libs/model/matcher.hpp"

namespace re2 {
class RE2;
}

namespace vigia::storage::store {

using LabelTexts = std::pair<std::string_view, std::string_view>;  ///< name and value

/// Prometheus' rules: an absent label has the value ""; a regular expression (RE2) has to match the
/// whole value, and its dot matches line breaks too. Thread contract: any thread.
class LabelMatcher {
 public:
  /// kInvalid, naming the expression, where it cannot be compiled or is too large.
  static Result<LabelMatcher> compile(Matcher matcher);
  LabelMatcher(LabelMatcher&&) noexcept;
  LabelMatcher& operator=(LabelMatcher&&) noexcept;
  ~LabelMatcher();

  bool matches(std::string_view value) const;
  const std::string& name() const { return matcher_.name; }
  const std::string& value() const { return matcher_.value; }
  MatchType type() const { return matcher_.type; }

 private:
  explicit LabelMatcher(Matcher matcher);
  Matcher matcher_;
  std::unique_ptr<re2::RE2> expression_;
};

using LabelMatchers = std::vector<LabelMatcher>;
Result<LabelMatchers> compile_matchers(const std::vector<Matcher>& matchers);
bool all_match(const LabelMatchers& matchers, const std::vector<LabelTexts>& labels);
/// The value that an equality matcher on `name` asks for; nothing where there is none.
std::optional<std::string_view> equality_on(const LabelMatchers& matchers, std::string_view name);
/// Whether two of them want different values of the label: nothing has both.
bool is_contradiction(const LabelMatchers& matchers, std::string_view name);

/// "name<op>value" with the operators =, !=, =~, !~: how the label interfaces take matchers.
/// kInvalid without an operator or a name.
Result<Matcher> parse_matcher(std::string_view text);

}  // namespace vigia::storage::store
