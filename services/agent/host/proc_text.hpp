// Reading the small text files of /proc and /sys: bounded, without exceptions, never trusting a
// number to fit.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "libs/base/result.hpp"

namespace vigia::agent::host {

/// The whole file, at most `bytes_max` of it: kNotFound where it cannot be opened, kTooLarge where
/// it goes on, kUnavailable where reading fails. /proc files have no size, so it is read to its
/// end.
Result<std::string> read_text_file(const std::string& path, std::size_t bytes_max);

/// A whole unsigned decimal number. One that does not fit in 64 bits is the largest that does;
/// nothing on any other text.
std::optional<std::uint64_t> parse_counter(std::string_view text);

/// Walks over words that spaces or tabs part.
class WordReader {
 public:
  explicit WordReader(std::string_view line) : rest_(line) {}
  /// The next word; nothing at the end.
  std::optional<std::string_view> next();
  /// The next word as a number; nothing at the end or where it is none.
  std::optional<std::uint64_t> next_counter();

 private:
  std::string_view rest_;
};

/// Walks over lines, the last with or without its line feed.
class LineReader {
 public:
  explicit LineReader(std::string_view text) : rest_(text) {}
  std::optional<std::string_view> next();

 private:
  std::string_view rest_;
};

/// Undoes the kernel's octal escapes (\040 for a space) in names of mounts and swap devices.
std::string unescape_octal(std::string_view text);

/// `left * right`, or the largest number where that does not fit.
std::uint64_t multiply_saturating(std::uint64_t left, std::uint64_t right);

/// For OTLP, whose integers are signed: the number, or the largest signed one.
std::int64_t to_signed_saturating(std::uint64_t value);

}  // namespace vigia::agent::host
