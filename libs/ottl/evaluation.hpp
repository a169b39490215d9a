// What running a statement or condition needs beside its record.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "libs/ottl/record.hpp"
#include "libs/ottl/value.hpp"

namespace vigia::ottl {

/// Why a statement or condition could not be run for an item.
struct Fault {
  std::string_view what;   ///< a literal
  std::size_t offset = 0;  ///< in the text
};

/// Thrown where a request costs more than it may; whoever shows the items catches it.
struct WorkIsUsedUp {};

/// The texts that functions make for one item, and what a request may cost. One for a request, or
/// for several one after the other: what it keeps is used again. Not thread-safe.
class Evaluation {
 public:
  Evaluation();
  ~Evaluation();
  Evaluation(const Evaluation&) = delete;
  Evaluation& operator=(const Evaluation&) = delete;

  /// What all of a request may look at, and what it may write, in bytes.
  void begin_request(std::uint64_t work, std::uint64_t written);
  /// Another item: what was made for the last one is forgotten.
  void begin(Record& record);
  Record& record() { return *record_; }

  /// An empty text that lives until `begin`.
  std::string& make();
  /// Whether a text that was made may be so long; else a fault is noted.
  bool keep(const std::string& text);

  /// Counts work of a request; WorkIsUsedUp over its bound.
  void charge(std::uint64_t bytes);
  void charge_written(std::uint64_t bytes);

  /// False, for `return evaluation.fail(…)`. `what` is a literal.
  bool fail(std::string_view what);
  bool fail(std::string_view what, std::size_t offset);
  const Fault& fault() const { return fault_; }
  /// Where the function stands that runs.
  void set_place(std::size_t offset) { place_ = offset; }
  /// What a function that is an argument itself is applied to.
  void set_argument(std::string_view text) { argument_ = text; }
  std::string_view argument() const { return argument_; }

 private:
  Record* record_ = nullptr;
  std::vector<std::unique_ptr<std::string>> texts_;
  std::size_t used_ = 0;
  std::size_t made_bytes_ = 0;
  std::uint64_t work_left_ = 0;
  std::uint64_t written_left_ = 0;
  std::size_t place_ = 0;
  std::string_view argument_;
  Fault fault_;
};

}  // namespace vigia::ottl
