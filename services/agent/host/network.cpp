#include "services/agent/host/network.hpp"

#include <charconv>

#include "libs/base/utf8.hpp"
#include "services/agent/host/proc_text.hpp"

namespace vigia::agent::host {

namespace {

constexpr std::size_t kColumns = 16;
constexpr std::size_t kTransmitColumn = 8;

NetworkDirection direction_at(const std::array<std::uint64_t, kColumns>& column, std::size_t at) {
  return {column[at], column[at + 1], column[at + 2], column[at + 3]};
}

std::optional<InterfaceCounters> parse_interface(std::string_view line) {
  // The last colon: names may hold one (aliases), counters never do. Old kernels put no space
  // between it and the first counter.
  const auto colon = line.rfind(':');
  if (colon == std::string_view::npos) return std::nullopt;
  WordReader name_words(line.substr(0, colon));
  const auto name = name_words.next();
  if (!name) return std::nullopt;
  WordReader words(line.substr(colon + 1));
  std::array<std::uint64_t, kColumns> column{};
  for (auto& value : column) {
    const auto next = words.next_counter();
    if (!next) return std::nullopt;
    value = *next;
  }
  return InterfaceCounters{to_utf8(*name), direction_at(column, 0),
                           direction_at(column, kTransmitColumn)};
}

}  // namespace

std::vector<InterfaceCounters> parse_net_dev(std::string_view text) {
  std::vector<InterfaceCounters> interfaces;
  LineReader lines(text);
  while (const auto line = lines.next()) {
    auto interface = parse_interface(*line);
    if (!interface) continue;  // the two lines of heading, too
    if (interface->receive.packets == 0 && interface->transmit.packets == 0) continue;
    interfaces.push_back(*std::move(interface));
  }
  return interfaces;
}

void count_tcp_states(std::string_view text, TcpStateCounts& counts) {
  constexpr std::size_t kWordsBeforeState = 3;  // number, local and remote address
  LineReader lines(text);
  lines.next();  // the heading
  while (const auto line = lines.next()) {
    WordReader words(*line);
    for (std::size_t skip = 0; skip < kWordsBeforeState; ++skip) words.next();
    const auto state = words.next();
    if (!state) continue;
    std::size_t number = 0;
    const auto [end, reason] =
        std::from_chars(state->data(), state->data() + state->size(), number, 16);
    const bool is_number = reason == std::errc{} && end == state->data() + state->size();
    // 12 is a request that is not yet a connection, counted by the kernel as received SYN.
    if (is_number && number == kTcpStates + 1) number = 3;
    if (is_number && number >= 1 && number <= kTcpStates) ++counts[number - 1];
  }
}

std::optional<SocketCounts> parse_sockstat_tcp(std::string_view text) {
  LineReader lines(text);
  while (const auto line = lines.next()) {
    WordReader words(*line);
    if (words.next() != "TCP:") continue;
    SocketCounts counts;
    while (const auto key = words.next()) {
      const auto value = words.next_counter();
      if (!value) return std::nullopt;
      if (*key == "inuse") counts.in_use = *value;
      if (*key == "tw") counts.time_wait = *value;
    }
    return counts;
  }
  return std::nullopt;
}

std::optional<std::uint64_t> parse_snmp_established(std::string_view text) {
  // Two lines begin with "Tcp:": names, then values in the same order.
  LineReader lines(text);
  std::optional<std::string_view> names;
  while (const auto line = lines.next()) {
    if (!line->starts_with("Tcp:")) continue;
    if (!names) {
      names = line;
      continue;
    }
    WordReader name(*names);
    WordReader value(*line);
    while (const auto word = name.next()) {
      const auto text_of_value = value.next();
      if (!text_of_value) return std::nullopt;
      if (*word == "CurrEstab") return parse_counter(*text_of_value);
    }
  }
  return std::nullopt;
}

}  // namespace vigia::agent::host
