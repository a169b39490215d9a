#include "services/router/cache/matrix_text.hpp"

#include <charconv>
#include <cstddef>

namespace vigia::router::cache {
namespace {

/// Takes pieces from the front of a text. All of it fails once something was not there.
class MatrixCursor {
 public:
  explicit MatrixCursor(std::string_view text) : rest_(text) {}

  bool is_at_end() const { return rest_.empty(); }
  bool skip(std::string_view piece) {
    if (!rest_.starts_with(piece)) return false;
    rest_.remove_prefix(piece.size());
    return true;
  }
  /// From an opening bracket to the one that closes it; brackets in strings are none.
  std::optional<std::string_view> bracketed() {
    std::size_t depth = 0;
    for (std::size_t i = 0; i < rest_.size(); ++i) {
      const char c = rest_[i];
      if (c == '"') {
        const auto end = end_of_string(i);
        if (!end) return std::nullopt;
        i = *end;
      } else if (c == '[' || c == '{') {
        ++depth;
      } else if (c == ']' || c == '}') {
        if (depth == 0) return std::nullopt;
        if (--depth == 0) return take(i + 1);
      } else if (depth == 0) {
        return std::nullopt;
      }
    }
    return std::nullopt;
  }
  /// A string without escapes, without its quotation marks.
  std::optional<std::string_view> plain_string() {
    if (!skip("\"")) return std::nullopt;
    const std::size_t end = rest_.find('"');
    if (end == std::string_view::npos) return std::nullopt;
    const std::string_view text = take(end);
    rest_.remove_prefix(1);
    if (text.find('\\') != std::string_view::npos) return std::nullopt;
    return text;
  }
  /// Seconds with three digits behind the point where there are any, as Prometheus writes times.
  std::optional<TimestampMs> time() {
    constexpr std::size_t kDigits = 3;
    TimestampMs ms = 0;
    std::uint64_t seconds = 0;
    if (!number(seconds) || seconds > INT64_MAX / 1'000 - 1) return std::nullopt;
    ms = static_cast<TimestampMs>(seconds) * 1'000;
    if (!skip(".")) return ms;
    const std::size_t before = rest_.size();
    std::uint64_t fraction = 0;
    if (!number(fraction) || before - rest_.size() != kDigits || fraction == 0) return std::nullopt;
    return ms + static_cast<TimestampMs>(fraction);
  }

 private:
  std::string_view take(std::size_t size) {
    const std::string_view taken = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return taken;
  }
  bool number(std::uint64_t& value) {
    const auto [stop, failure] = std::from_chars(rest_.data(), rest_.data() + rest_.size(), value);
    if (failure != std::errc{}) return false;
    rest_.remove_prefix(static_cast<std::size_t>(stop - rest_.data()));
    return true;
  }
  std::optional<std::size_t> end_of_string(std::size_t begin) const {
    for (std::size_t i = begin + 1; i < rest_.size(); ++i) {
      if (rest_[i] == '\\') {
        ++i;
      } else if (rest_[i] == '"') {
        return i;
      }
    }
    return std::nullopt;
  }

  std::string_view rest_;
};

/// What stands between the brackets of the list at hand, where it is not empty.
std::optional<std::string_view> inside(MatrixCursor& cursor) {
  const auto list = cursor.bracketed();
  constexpr std::size_t kBrackets = 2;
  if (!list || list->size() <= kBrackets || list->front() != '[') return std::nullopt;
  return list->substr(1, list->size() - kBrackets);
}

bool read_series(MatrixCursor& cursor, SeriesText& series) {
  if (!cursor.skip(R"({"metric":)")) return false;
  const auto metric = cursor.bracketed();
  if (!metric || metric->front() != '{') return false;
  series.metric = *metric;
  if (cursor.skip(R"(,"values":)")) {
    const auto values = inside(cursor);
    if (!values) return false;
    series.values = *values;
  }
  if (cursor.skip(R"(,"histograms":)")) {
    const auto histograms = inside(cursor);
    if (!histograms) return false;
    series.histograms = *histograms;
  }
  return cursor.skip("}");
}

using See = std::function<bool(std::uint32_t, std::string_view)>;

template <typename ReadValue>
bool for_each_element(std::string_view list, const StepGrid& grid, const ReadValue& read_value,
                      const See& see) {
  MatrixCursor cursor(list);
  std::optional<std::uint32_t> last;
  while (!cursor.is_at_end()) {
    if (last && !cursor.skip(",")) return false;
    if (!cursor.skip("[")) return false;
    const auto time = cursor.time();
    if (!time || !cursor.skip(",")) return false;
    const std::optional<std::string_view> value = read_value(cursor);
    if (!value || !cursor.skip("]")) return false;
    const TimestampMs behind_ms = *time - grid.first_ms;
    if (behind_ms < 0 || behind_ms % grid.step_ms != 0) return false;
    const std::int64_t step = behind_ms / grid.step_ms;
    if (step >= grid.steps || (last && step <= *last)) return false;
    last = static_cast<std::uint32_t>(step);
    if (!see(*last, *value)) return true;
  }
  return true;
}

}  // namespace

std::optional<std::vector<SeriesText>> read_matrix(std::string_view data) {
  MatrixCursor cursor(data);
  if (!cursor.skip(R"({"resultType":"matrix","result":[)")) return std::nullopt;
  std::vector<SeriesText> all;
  while (!cursor.skip("]}")) {
    if (!all.empty() && !cursor.skip(",")) return std::nullopt;
    if (!read_series(cursor, all.emplace_back())) return std::nullopt;
  }
  if (!cursor.is_at_end()) return std::nullopt;
  return all;
}

bool for_each_value(std::string_view values, const StepGrid& grid, const See& see) {
  return for_each_element(
      values, grid, [](MatrixCursor& cursor) { return cursor.plain_string(); }, see);
}

bool for_each_histogram(std::string_view histograms, const StepGrid& grid, const See& see) {
  return for_each_element(
      histograms, grid, [](MatrixCursor& cursor) { return cursor.bracketed(); }, see);
}

}  // namespace vigia::router::cache
