// Makes random expressions that PromQL's grammar allows, typed, for tests.
#pragma once

#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "libs/promql/functions.hpp"

namespace vigia::promql {

/// The same seed gives the same expressions. Not thread-safe.
class Grammar {
 public:
  Grammar(std::uint32_t seed, const Language& language) : random_(seed), language_(language) {}

  std::string expression();
  /// The text with some characters or words of it changed, so that most are no expressions.
  std::string mutated(std::string text);
  /// Nested so deep at the most.
  std::string of_type(ValueType type, int depth);

 private:
  bool is_new() const;
  std::size_t below(std::size_t bound);
  std::string pick(const std::vector<std::string>& choices);
  std::string any(int depth);
  std::string text();
  std::string number();
  std::string length();
  std::string computed_length(int depth);
  std::string any_length();
  std::string extension();
  std::string fills();
  std::string shift();
  std::string matcher();
  std::string selector();
  std::string labels();
  std::string scalar(int depth);
  std::string matrix(int depth);
  std::string vector(int depth);
  std::string arithmetic();
  std::string aggregation(int depth);
  std::string call(int depth);

  std::mt19937 random_;
  const Language language_;
};

}  // namespace vigia::promql
