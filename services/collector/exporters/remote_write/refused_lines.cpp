#include "services/collector/exporters/remote_write/refused_lines.hpp"

#include <charconv>
#include <optional>
#include <string>
#include <utility>

#include "libs/wire/remote_write/write_request.hpp"

namespace vigia::collector::exporters::remote_write {
namespace {

constexpr std::string_view kBeforeSeries = " for series {";

void append_utf8(std::string& out, std::uint32_t code) {
  constexpr std::uint32_t kLow = 0x3f;
  const auto tail = [&](unsigned shift) {
    out.push_back(static_cast<char>(0x80U | ((code >> shift) & kLow)));
  };
  if (code < 0x80) {
    out.push_back(static_cast<char>(code));
  } else if (code < 0x800) {
    out.push_back(static_cast<char>(0xc0U | (code >> 6U)));
    tail(0);
  } else if (code < 0x10000) {
    out.push_back(static_cast<char>(0xe0U | (code >> 12U)));
    tail(6);
    tail(0);
  } else {
    out.push_back(static_cast<char>(0xf0U | (code >> 18U)));
    tail(12);
    tail(6);
    tail(0);
  }
}

/// Reads labels as Go prints them: values in double quotes, with Go's escapes.
class LabelText {
 public:
  explicit LabelText(std::string_view text) : rest_(text) {}

  /// Up to the closing brace; nothing where it is not so.
  std::optional<Labels> read() {
    std::vector<Label> labels;
    while (!take('}')) {
      if (!labels.empty() && !(take(',') && take(' '))) return std::nullopt;
      const std::size_t end = rest_.find('=');
      if (end == std::string_view::npos || end == 0) return std::nullopt;
      Label label{std::string(rest_.substr(0, end)), {}};
      rest_.remove_prefix(end + 1);
      if (!take('"') || !read_quoted(label.value)) return std::nullopt;
      labels.push_back(std::move(label));
    }
    return Labels::from(std::move(labels));
  }

 private:
  bool take(char expected) {
    if (rest_.empty() || rest_[0] != expected) return false;
    rest_.remove_prefix(1);
    return true;
  }

  bool read_quoted(std::string& value) {
    while (!take('"')) {
      if (rest_.empty()) return false;
      const char c = rest_[0];
      rest_.remove_prefix(1);
      if (c != '\\')
        value.push_back(c);
      else if (!read_escape(value))
        return false;
    }
    return true;
  }

  bool read_escape(std::string& value) {
    constexpr std::string_view kLetters = "abfnrtv\\\"";
    constexpr std::string_view kMeant = "\a\b\f\n\r\t\v\\\"";
    if (rest_.empty()) return false;
    const char c = rest_[0];
    rest_.remove_prefix(1);
    if (const std::size_t known = kLetters.find(c); known != std::string_view::npos) {
      value.push_back(kMeant[known]);
      return true;
    }
    const std::size_t digits = c == 'x' ? 2 : c == 'u' ? 4 : c == 'U' ? 8 : 0;
    if (digits == 0 || rest_.size() < digits) return false;
    std::uint32_t code = 0;
    const char* const end = rest_.data() + digits;
    if (std::from_chars(rest_.data(), end, code, 16).ptr != end) return false;
    rest_.remove_prefix(digits);
    if (c == 'x')
      value.push_back(static_cast<char>(code));
    else
      append_utf8(value, code);
    return true;
  }

  std::string_view rest_;
};

}  // namespace

std::uint64_t count_refused_lines(std::string_view text) {
  std::uint64_t count = 0;
  while (true) {
    const std::size_t at = text.find(kBeforeSeries);
    if (at == std::string_view::npos) return count;
    ++count;
    const std::size_t end = text.find('\n', at);
    if (end == std::string_view::npos) return count;
    text.remove_prefix(end + 1);
  }
}

std::vector<delivery::RefusedSeries> read_refused_lines(std::string_view text) {
  std::vector<delivery::RefusedSeries> found;
  while (!text.empty() && found.size() < kLinesReadMax) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    const std::size_t at = line.find(kBeforeSeries);
    if (at == std::string_view::npos) continue;
    if (const auto labels = LabelText(line.substr(at + kBeforeSeries.size())).read())
      found.push_back(
          {wire::remote_write::encode_labels(*labels), std::string(line.substr(0, at))});
  }
  return found;
}

}  // namespace vigia::collector::exporters::remote_write
