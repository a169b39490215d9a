// What answers say while stored rows are missing that will come back.
#pragma once

#include <cstdint>
#include <functional>
#include <string_view>

#include "libs/net/message.hpp"

namespace vigia::storage::api {

/// On every answer of a read, and on /health, from which the router learns it: remote read has no
/// room for a warning. "damaged-files", of anybody's; "index": of some customers, of whom is seen
/// by asking for one.
inline constexpr std::string_view kIncompleteHeader = "x-vigia-incomplete";

/// While files are set aside whose rows are still to be written anew, or rows of the index. Thread
/// contract: any thread.
class AnswerGaps {
 public:
  AnswerGaps() = default;  ///< never any
  /// `lacks_index`: of the customer's rows, of anybody's where it is "".
  explicit AnswerGaps(std::function<std::uint64_t()> unsaved_files,
                      std::function<bool(std::string_view customer)> lacks_index = {})
      : unsaved_files_(std::move(unsaved_files)), lacks_index_(std::move(lacks_index)) {}

  /// "" where nothing is missing of the customer's, of anybody's where it is "".
  std::string_view warning(std::string_view customer) const {
    if (what(customer).empty()) return {};
    return "the answer may be incomplete: rows of damaged files are still being written anew";
  }
  void mark(net::Response& response, std::string_view customer = {}) const {
    const std::string_view found = what(customer);
    if (!found.empty()) response.headers.add(kIncompleteHeader, found);
  }

 private:
  std::string_view what(std::string_view customer) const {
    if (unsaved_files_ && unsaved_files_() > 0) return "damaged-files";
    return lacks_index_ && lacks_index_(customer) ? "index" : "";
  }

  std::function<std::uint64_t()> unsaved_files_;
  std::function<bool(std::string_view)> lacks_index_;
};

}  // namespace vigia::storage::api
