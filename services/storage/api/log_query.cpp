#include "services/storage/api/log_query.hpp"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

#include "libs/base/bytes.hpp"
#include "libs/model/label_name.hpp"
#include "services/storage/api/cursor_text.hpp"

namespace vigia::storage::api {
namespace {

using store::LogDirection;

constexpr std::uint8_t kCursorVersion = 1;
constexpr std::string_view kSpaces = " \t\r\n";

// Goes through the text of a stream query.
class StreamQueryReader {
 public:
  explicit StreamQueryReader(std::string_view text) : rest_(text) {}

  Result<std::vector<Matcher>> read() {
    std::vector<Matcher> matchers;
    if (!take('{')) return no_query();
    while (!take('}')) {
      if (!matchers.empty() && !take(',')) return no_query();
      if (!matchers.empty() && take('}')) break;  // a comma behind the last is PromQL's too
      auto matcher = read_matcher();
      if (!matcher) return forward(matcher);
      matchers.push_back(std::move(*matcher));
      if (matchers.size() > kStreamMatchersMax) {
        return fail(ErrorCode::kInvalid, "query has more than 64 matchers");
      }
    }
    skip_spaces();
    if (!rest_.empty()) return no_query();
    return matchers;
  }

 private:
  static tl::unexpected<Error> no_query() {
    return fail(ErrorCode::kInvalid,
                R"(query is written {name="value",other=~"expression"}, values in quotes)");
  }
  void skip_spaces() {
    rest_.remove_prefix(std::min(rest_.find_first_not_of(kSpaces), rest_.size()));
  }
  bool take(char letter) {
    skip_spaces();
    if (rest_.empty() || rest_[0] != letter) return false;
    rest_.remove_prefix(1);
    return true;
  }

  bool is_at_quote() const { return rest_.starts_with('"') || rest_.starts_with('`'); }

  Result<Matcher> read_matcher() {
    skip_spaces();
    return is_at_quote() ? read_quoted_name() : read_rest("");
  }

  // As in PromQL: alone it is the metric's.
  Result<Matcher> read_quoted_name() {
    std::string name;
    if (!read_value(name) || !is_name(name)) return no_query();
    skip_spaces();
    if (rest_.starts_with(',') || rest_.starts_with('}')) {
      return Matcher{MatchType::kEqual, std::string(kNameLabel), std::move(name)};
    }
    auto matcher = read_rest(kNameLabel);
    if (matcher && matcher->name != kNameLabel) return no_query();
    if (matcher) matcher->name = std::move(name);
    return matcher;
  }

  // `begun`: what of the name has been read.
  Result<Matcher> read_rest(std::string_view begun) {
    const std::size_t quote = rest_.find_first_of("\"`");
    if (quote == std::string_view::npos) return no_query();
    std::string before(begun);  // name and operator: spaces may stand between them
    for (const char letter : rest_.substr(0, quote)) {
      if (kSpaces.find(letter) == std::string_view::npos) before += letter;
    }
    auto matcher = store::parse_matcher(before);
    // What stands behind the operator and before the quote belongs to nothing.
    if (!matcher || !matcher->value.empty() || !is_bare(matcher->name)) return no_query();
    rest_.remove_prefix(quote);
    if (!read_value(matcher->value)) return no_query();
    return matcher;
  }

  static bool is_bare(std::string_view name) {
    return name.find_first_of("{},") == std::string_view::npos;
  }

  bool read_value(std::string& value) {
    const char quote = rest_[0];
    for (std::size_t i = 1; i < rest_.size(); ++i) {
      char letter = rest_[i];
      if (letter == quote) {
        rest_.remove_prefix(i + 1);
        return true;
      }
      if (letter == '\\' && quote == '"') {
        if (++i == rest_.size()) return false;
        const std::size_t known = kEscapes.find(rest_[i]);
        if (known == std::string_view::npos) return false;
        letter = kMeanings[known];
      }
      value += letter;
    }
    return false;
  }

  static constexpr std::string_view kEscapes = "\\\"nrt";
  static constexpr std::string_view kMeanings = "\\\"\n\r\t";
  std::string_view rest_;
};

// False for a parameter of the label interfaces.
Result<bool> read_own(std::string_view name, const std::string& value, LogRequest& log) {
  if (name == "direction") {
    if (value != "forward" && value != "backward") {
      return fail(ErrorCode::kInvalid, "direction is forward or backward");
    }
    log.direction = value == "backward" ? LogDirection::kBackward : LogDirection::kForward;
    return true;
  }
  if (name == "query") {
    auto stream = parse_stream_query(value);
    if (!stream) return forward(stream);
    log.stream = std::move(*stream);
    return true;
  }
  if (name == "arrived_after" || name == "arrived_upto") {
    const auto number = read_arrival(value);
    if (!number) return forward(number);
    if (!log.arrived) log.arrived.emplace();
    (name == "arrived_after" ? log.arrived->after : log.arrived->upto) = *number;
    return true;
  }
  if (name == "lines") {
    auto lines = logql::pipeline::FrontFilters::parse(value);
    if (!lines) return forward(lines);
    log.lines = std::move(*lines);
    return true;
  }
  if (name == "answer_bytes") {
    const char* end = value.data() + value.size();
    const auto [stop, failure] = std::from_chars(value.data(), end, log.answer_bytes);
    if (failure == std::errc() && stop == end && log.answer_bytes > 0) return true;
    return fail(ErrorCode::kInvalid, "answer_bytes is not a number above 0");
  }
  if (name != "cursor") return false;
  auto cursor = decode_cursor(value);
  if (!cursor) return forward(cursor);
  log.cursor = std::move(*cursor);
  return true;
}

Result<void> check_cursor(const LogRequest& log) {
  if (!log.cursor) return {};
  if (log.labels.fence.has_value() && log.cursor->customer != *log.labels.fence) return no_cursor();
  if (log.cursor->direction == log.direction) return {};
  return fail(ErrorCode::kInvalid, "cursor is of a walk in the other direction");
}

}  // namespace

Result<std::uint64_t> read_arrival(std::string_view text) {
  std::uint64_t number = 0;
  const auto [stop, failure] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (failure == std::errc{} && stop == text.data() + text.size()) return number;
  return fail(ErrorCode::kInvalid,
              "how far log records had come is a number of /api/v1/logs/arrivals");
}

std::string encode(const LogPageEnd& cursor) {
  std::string bytes(1, static_cast<char>(kCursorVersion));
  bytes.push_back(static_cast<char>(cursor.direction));
  append_u64(bytes, cursor.place.time_ns);
  append_u64(bytes, cursor.place.number);
  append_sized(bytes, cursor.customer.text());
  return to_cursor_text(std::move(bytes));
}

Result<LogPageEnd> decode_cursor(std::string_view text) {
  const auto bytes = from_cursor_text(text);
  if (!bytes) return no_cursor();
  ByteReader reader(*bytes);
  const std::uint8_t version = reader.read_u8();
  const std::uint8_t direction = reader.read_u8();
  store::LogPlace place;
  place.time_ns = reader.read_u64();
  place.number = reader.read_u64();
  auto customer = cursor_customer(reader.read_sized());
  const bool is_whole = reader.ok() && reader.rest().empty();
  if (!is_whole || version != kCursorVersion || !customer ||
      direction > static_cast<std::uint8_t>(LogDirection::kBackward)) {
    return no_cursor();
  }
  return LogPageEnd{std::move(*customer), static_cast<LogDirection>(direction), place};
}

Result<store::LabelMatchers> parse_stream_query(std::string_view text) {
  const auto matchers = StreamQueryReader(text).read();
  if (!matchers) return tl::unexpected<Error>(matchers.error());
  return store::compile_matchers(*matchers);
}

Result<LogRequest> read_log_request(const net::Request& request, const OtherParameter& other) {
  LogRequest log;
  std::vector<std::string> seen;
  auto labels = read_label_query(request, [&](const std::string& name, const std::string& value) {
    const auto is_other = other ? other(name, value) : Result<bool>(false);
    if (!is_other || *is_other) return is_other;
    const auto is_own = read_own(name, value, log);
    if (!is_own || !*is_own) return is_own;
    if (std::find(seen.begin(), seen.end(), name) != seen.end()) {
      return Result<bool>(fail(ErrorCode::kInvalid, fmt::format("{} is given twice", name)));
    }
    seen.push_back(name);
    return is_own;
  });
  if (!labels) return forward(labels);
  log.labels = std::move(*labels);
  // Without a range the search would read all that is kept.
  if (!log.labels.has_range || log.labels.end_ms == INT64_MAX) {
    return fail(ErrorCode::kInvalid, "start and end are required");
  }
  if (auto checked = check_cursor(log); !checked) return forward(checked);
  return log;
}

}  // namespace vigia::storage::api
