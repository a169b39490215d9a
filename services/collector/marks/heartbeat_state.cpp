#include "services/collector/marks/heartbeat_state.hpp"

#include <charconv>
#include <vector>

#include <fmt/format.h>

#include "libs/base/crc32c.hpp"

namespace vigia::collector::marks {
namespace {

constexpr std::string_view kHead = "vigia-heartbeat 1 ";

std::string head_of(std::string_view body) {
  return fmt::format("{}{:08x} {}\n", kHead, crc32c(body), body.size());
}

/// The line up to its end, which is taken away with it; nothing where it has no end.
std::optional<std::string_view> take_line(std::string_view& text) {
  const std::size_t end = text.find('\n');
  if (end == std::string_view::npos) return std::nullopt;
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(end + 1);
  return line;
}

std::vector<std::string_view> words_of(std::string_view line) {
  std::vector<std::string_view> words;
  for (;;) {
    const std::size_t end = line.find(' ');
    words.push_back(line.substr(0, end));
    if (end == std::string_view::npos) return words;
    line.remove_prefix(end + 1);
  }
}

template <typename Number>
bool read_number(std::string_view word, Number& number) {
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), number);
  return error == std::errc() && end == word.data() + word.size();
}

bool read_first(std::string_view line, bool is_old, HeartbeatState& state) {
  const auto words = words_of(line);
  const std::size_t least = is_old ? 1 : 3;
  if (words.size() < least || words.size() > 3) return false;
  if (!read_number(words[0], state.last_minute)) return false;
  if (words.size() > 1 && !read_number(words[1], state.lost)) return false;
  // Written before holes were: the last minute ended one.
  state.hole_until = state.last_minute;
  return words.size() < 3 || read_number(words[2], state.hole_until);
}

bool read_loss(std::string_view line, HeartbeatState& state) {
  const auto words = words_of(line);
  std::int64_t until = 0;
  if (words.size() != 2 || !read_number(words[0], until)) return false;
  const auto customer = CustomerId::parse(words[1]);
  // Twice the same customer: not written by us, so nothing of the file is believed.
  return customer && state.losses.emplace(*customer, until).second;
}

std::optional<HeartbeatState> read_body(std::string_view body, bool is_old) {
  HeartbeatState state;
  const auto first = take_line(body);
  if (!first || !read_first(*first, is_old, state)) return std::nullopt;
  while (!body.empty()) {
    const auto line = take_line(body);
    if (!line || !read_loss(*line, state)) return std::nullopt;
  }
  return state;
}

}  // namespace

std::string write_heartbeat_state(const HeartbeatState& state) {
  std::string body = fmt::format("{} {} {}\n", state.last_minute, state.lost, state.hole_until);
  for (const auto& [customer, until] : state.losses) {
    body += fmt::format("{} {}\n", until, customer.text());
  }
  return head_of(body) + body;
}

std::optional<HeartbeatState> read_heartbeat_state(std::string_view file) {
  // Before there was a head a file began with a number.
  if (!file.empty() && file.front() >= '0' && file.front() <= '9') return read_body(file, true);
  const std::size_t end = file.find('\n');
  if (end == std::string_view::npos) return std::nullopt;
  const std::string_view body = file.substr(end + 1);
  // The whole head is compared: so nothing in it can be wrong and pass.
  if (file.substr(0, end + 1) != head_of(body)) return std::nullopt;
  return read_body(body, false);
}

}  // namespace vigia::collector::marks
