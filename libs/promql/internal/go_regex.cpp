#include "libs/promql/internal/go_regex.hpp"

#include <algorithm>
#include <array>
#include <cstddef>

#include "libs/promql/text.hpp"

namespace vigia::promql::internal {
namespace {

/// Go's tree may be 1,000 high, and a group in a group adds four levels at the most: itself, a
/// repetition, an alternation and a row.
constexpr std::size_t kGroupsDeepMax = 240;

// Of Unicode 14 and 15. Prometheus 2.42 is built with Go 1.19, which knows 13; 3.x with one that
// knows 15, as RE2 does.
constexpr std::array<std::string_view, 7> kNewScripts{
    "Vithkuqi", "Toto", "Tangsa", "Old_Uyghur", "Cypro_Minoan", "Kawi", "Nag_Mundari"};

class RegexScan {
 public:
  RegexScan(std::string_view regex, Dialect dialect) : rest_(regex), dialect_(dialect) {}

  bool is_refused() {
    while (!rest_.empty() && !is_refused_) see_next();
    return is_refused_;
  }

 private:
  void see_next() {
    switch (rest_.front()) {
      case '\\':
        return see_escape(false);
      case '[':
        return see_class();
      case '(':
        return see_group();
      case ')':
        depth_ -= depth_ > 0 ? 1 : 0;
        break;
      default:
        break;
    }
    skip(1);
  }

  void see_escape(bool is_in_class) {
    const char what = rest_.size() > 1 ? rest_[1] : '\0';
    skip(2);
    if (what == 'p' || what == 'P') return see_script();
    if (is_in_class) return;  // RE2 itself takes neither of these there
    if (what == 'C') is_refused_ = true;
    if (what != 'Q') return;
    const std::size_t end = rest_.find("\\E");
    is_refused_ = end == std::string_view::npos;
    skip(is_refused_ ? rest_.size() : end + 2);
  }

  void see_script() {
    if (!rest_.starts_with('{')) return;
    const std::size_t end = rest_.find('}');
    if (end == std::string_view::npos) return skip(rest_.size());
    std::string_view name = rest_.substr(1, end - 1);
    if (name.starts_with('^')) name.remove_prefix(1);
    const bool is_new =
        std::find(kNewScripts.begin(), kNewScripts.end(), name) != kNewScripts.end();
    is_refused_ = is_refused_ || (is_new && dialect_ == Dialect::kPrometheus2);
    skip(end + 1);
  }

  void see_class() {
    skip(1);
    if (rest_.starts_with('^')) skip(1);
    if (rest_.starts_with(']')) skip(1);  // stands for itself
    while (!rest_.empty() && !rest_.starts_with(']')) {
      const std::size_t name_end = rest_.starts_with("[:") ? rest_.find(":]", 2) : rest_.npos;
      if (name_end != std::string_view::npos) {
        skip(name_end + 2);
      } else if (rest_.starts_with('\\')) {
        see_escape(true);
      } else {
        skip(1);
      }
    }
    skip(1);
  }

  void see_group() {
    constexpr std::string_view kNamed = "(?P<";
    is_refused_ = ++depth_ > kGroupsDeepMax;
    if (!rest_.starts_with(kNamed)) return skip(1);
    skip(kNamed.size());
    const std::string_view name = rest_.substr(0, std::min(rest_.find('>'), rest_.size()));
    is_refused_ = is_refused_ || !std::all_of(name.begin(), name.end(), is_word);
    skip(name.size());
  }

  void skip(std::size_t count) { rest_.remove_prefix(std::min(count, rest_.size())); }

  std::string_view rest_;
  const Dialect dialect_;
  std::size_t depth_ = 0;
  bool is_refused_ = false;
};

}  // namespace

bool is_refused_by_go(std::string_view regex, Dialect dialect) {
  return RegexScan(regex, dialect).is_refused();
}

}  // namespace vigia::promql::internal
