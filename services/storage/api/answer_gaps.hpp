// What answers say while stored rows are missing that will come back.
#pragma once

#include <cstdint>
#include <functional>
#include <string_view>

#include "libs/net/message.hpp"

namespace vigia::storage {

/// On every answer of a read, and on /health, from which the router learns it: remote read has no
/// room for a warning.
inline constexpr std::string_view kIncompleteHeader = "x-vigia-incomplete";

/// While files are set aside whose rows are still to be written anew, or rows of the index. Thread
/// contract: any thread.
class AnswerGaps {
 public:
  AnswerGaps() = default;  ///< never any
  explicit AnswerGaps(std::function<std::uint64_t()> unsaved_files)
      : unsaved_files_(std::move(unsaved_files)) {}

  /// "" where nothing is missing.
  std::string_view warning() const {
    if (!unsaved_files_ || unsaved_files_() == 0) return {};
    return "the answer may be incomplete: rows of damaged files are still being written anew";
  }
  void mark(net::Response& response) const {
    if (!warning().empty()) response.headers.add(kIncompleteHeader, "damaged-files");
  }

 private:
  std::function<std::uint64_t()> unsaved_files_;
};

}  // namespace vigia::storage
