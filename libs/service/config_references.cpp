#include "libs/service/config_references.hpp"

#include <algorithm>
#include <array>
#include <cstdlib>

#include <fmt/format.h>

namespace vigia::service {
namespace {

using Listener = std::function<void(std::string_view)>;

bool is_letter(char letter) {
  return (letter >= 'A' && letter <= 'Z') || (letter >= 'a' && letter <= 'z') || letter == '_';
}

bool is_name(std::string_view text) {
  return !text.empty() && is_letter(text.front()) &&
         std::all_of(text.begin(), text.end(), [](char letter) {
           return is_letter(letter) || (letter >= '0' && letter <= '9');
         });
}

/// "file" of "file:/etc/token", where it is one of OpenTelemetry's other sources.
std::string_view foreign_source(std::string_view text) {
  constexpr std::array<std::string_view, 4> kSources{"file", "yaml", "http", "https"};
  const std::string_view source = text.substr(0, text.find(':'));
  const bool is_foreign = source.size() < text.size() &&
                          std::find(kSources.begin(), kSources.end(), source) != kSources.end();
  return is_foreign ? source : std::string_view();
}

std::string expand_reference(std::string_view reference, const Listener& note) {
  if (const std::string_view source = foreign_source(reference); !source.empty()) {
    note(fmt::format(
        "\"${{{}}}\": {}: is not supported; write the value here, or ${{env:NAME}} for that of an "
        "environment variable",
        reference, source));
    return "";
  }
  if (reference.starts_with("env:")) reference.remove_prefix(4);
  const std::size_t split = reference.find(":-");
  const std::string name(reference.substr(0, split));
  if (!is_name(name)) {
    note(fmt::format("\"{}\" is not the name of an environment variable", name));
    return "";
  }
  // Set and empty is a value too: the fallback is for what is not set.
  if (const char* value = std::getenv(name.c_str())) return value;
  if (split != std::string_view::npos) return std::string(reference.substr(split + 2));
  note(fmt::format("environment variable {} is not set", name));
  return "";
}

}  // namespace

std::string expand_references(std::string_view text, const Listener& note) {
  std::string out;
  while (!text.empty()) {
    if (text.starts_with("$$")) {
      out += '$';
      text.remove_prefix(2);
    } else if (const std::size_t end = text.find('}');
               text.starts_with("${") && end != std::string_view::npos) {
      out += expand_reference(text.substr(2, end - 2), note);
      text.remove_prefix(end + 1);
    } else {
      out += text.front();
      text.remove_prefix(1);
    }
  }
  return out;
}

Result<std::string> config_path(std::string_view named) {
  if (named.starts_with("file:")) return std::string(named.substr(5));
  const bool is_foreign = named.starts_with("env:") || !foreign_source(named).empty();
  if (is_foreign)
    return fail(ErrorCode::kInvalid,
                fmt::format("--config {}: only files are read; several may be given, and in them "
                            "${{env:NAME}} stands for an environment variable",
                            named));
  return std::string(named);
}

}  // namespace vigia::service
