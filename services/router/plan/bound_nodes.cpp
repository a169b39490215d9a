#include "services/router/plan/bound_nodes.hpp"

#include <string_view>

#include "libs/promql/visit.hpp"

namespace vigia::router::plan {
namespace {

constexpr std::string_view kNodeLabel = "node_id";

/// A letter that means itself wherever it stands in a regular expression.
bool is_plain(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         c == '-';
}

/// The names of `a|b\\.c`, or `(a|b)` as Grafana writes several values; nothing where it is more.
std::optional<std::set<std::string>> names_of(std::string_view regex) {
  if (regex.starts_with('(') && regex.ends_with(')')) regex = regex.substr(1, regex.size() - 2);
  std::set<std::string> names;
  std::string name;
  for (std::size_t i = 0; i <= regex.size(); ++i) {
    if (i == regex.size() || regex[i] == '|') {
      if (name.empty()) return std::nullopt;  // series without a node, too
      names.insert(std::move(name));
      name.clear();
    } else if (is_plain(regex[i])) {
      name += regex[i];
    } else if (regex[i] == '\\' && i + 1 < regex.size() &&
               (regex[i + 1] == '.' || regex[i + 1] == '-')) {
      name += regex[++i];
    } else {
      return std::nullopt;
    }
  }
  return names;
}

/// What one matcher leaves; nothing where it is another label's, or leaves what nobody can list.
std::optional<std::set<std::string>> names_of(const Matcher& matcher) {
  if (matcher.name != kNodeLabel || matcher.value.empty()) return std::nullopt;
  if (matcher.type == MatchType::kEqual) return std::set{matcher.value};
  if (matcher.type == MatchType::kRegex) return names_of(matcher.value);
  return std::nullopt;
}

std::optional<std::set<std::string>> names_of(const promql::Selector& selector) {
  for (const Matcher& matcher : selector.matchers) {
    // Whatever others stand beside it, no series of a node that it does not name is selected.
    if (auto names = names_of(matcher)) return names;
  }
  return std::nullopt;
}

}  // namespace

std::optional<std::set<std::string>> bound_nodes(const promql::Expr& expr) {
  std::set<std::string> all;
  bool is_bound = true;
  promql::for_each_selector(expr, [&](const promql::Selector& selector) {
    const auto names = names_of(selector);
    if (names) all.insert(names->begin(), names->end());
    is_bound = is_bound && names.has_value();
  });
  if (!is_bound || all.empty()) return std::nullopt;
  return all;
}

}  // namespace vigia::router::plan
