#include "services/agent/host/proc_text.hpp"

#include <cerrno>
#include <charconv>
#include <limits>
#include <system_error>

#include <fcntl.h>
#include <unistd.h>

namespace vigia::agent::host {

namespace {

constexpr std::size_t kReadBytes = 16U << 10U;

bool is_octal(char character) { return character >= '0' && character <= '7'; }

}  // namespace

Result<std::string> read_text_file(const std::string& path, std::size_t bytes_max) {
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) {
    return fail(ErrorCode::kNotFound, path + ": " + std::generic_category().message(errno));
  }
  // By reading, not by size: files of /proc have none.
  std::string text;
  std::optional<Error> error;
  while (!error) {
    const std::size_t old_size = text.size();
    text.resize(old_size + kReadBytes);
    const ssize_t count = ::read(descriptor, text.data() + old_size, kReadBytes);
    const int reason = errno;
    text.resize(old_size + (count > 0 ? static_cast<std::size_t>(count) : 0));
    if (count == 0) break;
    if (count < 0 && reason != EINTR) {
      error = Error{ErrorCode::kUnavailable, path + ": " + std::generic_category().message(reason)};
    } else if (text.size() > bytes_max) {
      error = Error{ErrorCode::kTooLarge, path + ": more than " + std::to_string(bytes_max) + " B"};
    }
  }
  ::close(descriptor);
  if (error) return tl::unexpected<Error>(*std::move(error));
  return text;
}

std::optional<std::uint64_t> parse_counter(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, reason] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || end != text.data() + text.size()) return std::nullopt;
  // A counter that does not fit is at its limit rather than away: a series that stops looks like a
  // device that is gone.
  if (reason == std::errc::result_out_of_range) return std::numeric_limits<std::uint64_t>::max();
  if (reason != std::errc{}) return std::nullopt;
  return value;
}

std::optional<std::string_view> WordReader::next() {
  const auto begin = rest_.find_first_not_of(" \t");
  if (begin == std::string_view::npos) {
    rest_ = {};
    return std::nullopt;
  }
  const auto end = std::min(rest_.find_first_of(" \t", begin), rest_.size());
  const std::string_view word = rest_.substr(begin, end - begin);
  rest_.remove_prefix(end);
  return word;
}

std::optional<std::uint64_t> WordReader::next_counter() {
  const auto word = next();
  return word ? parse_counter(*word) : std::nullopt;
}

std::optional<std::string_view> LineReader::next() {
  if (rest_.empty()) return std::nullopt;
  const auto end = rest_.find('\n');
  const std::string_view line = rest_.substr(0, end);
  rest_.remove_prefix(end == std::string_view::npos ? rest_.size() : end + 1);
  return line;
}

std::string unescape_octal(std::string_view text) {
  std::string plain;
  plain.reserve(text.size());
  for (std::size_t index = 0; index < text.size(); ++index) {
    const bool is_escape = text[index] == '\\' && index + 3 < text.size() &&
                           text[index + 1] >= '0' && text[index + 1] <= '3' &&
                           is_octal(text[index + 2]) && is_octal(text[index + 3]);
    if (!is_escape) {
      plain += text[index];
      continue;
    }
    const int value =
        (text[index + 1] - '0') * 64 + (text[index + 2] - '0') * 8 + (text[index + 3] - '0');
    plain += static_cast<char>(value);
    index += 3;
  }
  return plain;
}

std::uint64_t multiply_saturating(std::uint64_t left, std::uint64_t right) {
  std::uint64_t product = 0;
  if (__builtin_mul_overflow(left, right, &product)) {
    return std::numeric_limits<std::uint64_t>::max();
  }
  return product;
}

std::int64_t to_signed_saturating(std::uint64_t value) {
  constexpr auto kMax = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
  return static_cast<std::int64_t>(value < kMax ? value : kMax);
}

}  // namespace vigia::agent::host
