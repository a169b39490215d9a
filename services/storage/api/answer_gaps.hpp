// What answers say while stored rows are missing that will come back.
#pragma once

#include <cstdint>
#include <functional>
#include <string_view>

#include "libs/net/message.hpp"

namespace vigia::storage::api {

/// On every answer of a read, and on /health, from which the router learns it: remote read has no
/// room for a warning. "damaged-files", of anybody's; "index" and "quarantine": of some customers,
/// of whom is seen by asking for one. "peers": see below.
inline constexpr std::string_view kIncompleteHeader = "x-vigia-incomplete";

/// Samples that other instances of the same store have open: of whom, nobody knows.
inline constexpr std::string_view kLacksPeers = "peers";

/// Of several that are missing, what was said first.
inline void mark_incomplete(net::Response& response, std::string_view what) {
  if (response.headers.count(kIncompleteHeader) > 0) return;
  response.headers.add(kIncompleteHeader, what);
}

/// While files are set aside whose rows are still to be written anew, rows of the index are, or
/// chunks of samples that the store did not take wait for a start. Thread contract: any thread.
class AnswerGaps {
 public:
  AnswerGaps() = default;  ///< never any
  /// Both lacks: of the customer, of anybody where it is "".
  explicit AnswerGaps(std::function<std::uint64_t()> unsaved_files,
                      std::function<bool(std::string_view customer)> lacks_index = {},
                      std::function<bool(std::string_view customer)> lacks_chunks = {})
      : unsaved_files_(std::move(unsaved_files)),
        lacks_index_(std::move(lacks_index)),
        lacks_chunks_(std::move(lacks_chunks)) {}

  /// "" where nothing is missing of the customer's, of anybody's where it is "".
  std::string_view warning(std::string_view customer) const {
    const std::string_view found = what(customer);
    if (found.empty()) return {};
    if (found == kQuarantine) {
      return "the answer may be incomplete: samples that the store did not take are set aside, and "
             "the provider is told of them";
    }
    return "the answer may be incomplete: rows of damaged files are still being written anew";
  }
  void mark(net::Response& response, std::string_view customer = {}) const {
    const std::string_view found = what(customer);
    if (!found.empty()) mark_incomplete(response, found);
  }

 private:
  std::string_view what(std::string_view customer) const {
    if (unsaved_files_ && unsaved_files_() > 0) return "damaged-files";
    if (lacks_index_ && lacks_index_(customer)) return "index";
    return lacks_chunks_ && lacks_chunks_(customer) ? kQuarantine : "";
  }

  static constexpr std::string_view kQuarantine = "quarantine";
  std::function<std::uint64_t()> unsaved_files_;
  std::function<bool(std::string_view)> lacks_index_;
  std::function<bool(std::string_view)> lacks_chunks_;
};

}  // namespace vigia::storage::api
