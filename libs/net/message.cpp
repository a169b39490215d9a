#include "libs/net/message.hpp"

#include <algorithm>

namespace vigia::net {

namespace {

// std::tolower depends on the locale; header names are ASCII.
char lower(char letter) {
  return letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter - 'A' + 'a') : letter;
}

}  // namespace

void Headers::add(std::string_view name, std::string_view value) {
  Header& header = headers_.emplace_back(Header{std::string(name), std::string(value)});
  std::transform(header.name.begin(), header.name.end(), header.name.begin(), lower);
}

std::string_view Headers::get(std::string_view name) const {
  for (const Header& header : headers_) {
    if (header.name == name) return header.value;
  }
  return {};
}

std::size_t Headers::count(std::string_view name) const {
  return static_cast<std::size_t>(
      std::count_if(headers_.begin(), headers_.end(),
                    [name](const Header& header) { return header.name == name; }));
}

}  // namespace vigia::net
