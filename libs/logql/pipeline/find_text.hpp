// Looks for a text in another one, in time that goes by their sum.
#pragma once

#include <cstddef>
#include <string_view>

#include <string.h>  // NOLINT: memmem is no part of <cstring>

namespace vigia::logql::pipeline {

/// Where it stands first, npos where nowhere. std::string_view::find takes the product of both
/// lengths where strangers choose them, and is slow where the first character is frequent.
inline std::size_t find_text(std::string_view text, std::string_view wanted) {
  if (wanted.empty()) return 0;
  if (wanted.size() > text.size()) return std::string_view::npos;
  const void* found = memmem(text.data(), text.size(), wanted.data(), wanted.size());
  if (found == nullptr) return std::string_view::npos;
  return static_cast<std::size_t>(static_cast<const char*>(found) - text.data());
}

}  // namespace vigia::logql::pipeline
