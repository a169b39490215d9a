// What the compiler makes of the nodes of a tree.
#pragma once

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "libs/ottl/internal/function.hpp"
#include "libs/ottl/internal/getter.hpp"

namespace vigia::ottl::internal {

class LiteralGetter final : public Getter {
 public:
  /// `value` of a text or of bytes is given without them.
  LiteralGetter(std::string text, const Value& value) : text_(std::move(text)), value_(value) {
    if (value_.kind == ValueForm::kString || value_.kind == ValueForm::kBytes) value_.bytes = text_;
  }
  LiteralGetter(const LiteralGetter&) = delete;
  LiteralGetter& operator=(const LiteralGetter&) = delete;
  bool get(Evaluation& evaluation, Value& out) const override;
  ValueForm kind() const override { return value_.kind; }
  const Value* literal() const override { return &value_; }

 private:
  const std::string text_;
  Value value_;
};

/// What the function that it is an argument of is applied to.
class ArgumentGetter final : public Getter {
 public:
  bool get(Evaluation& evaluation, Value& out) const override;
  ValueForm kind() const override { return ValueForm::kString; }
};

/// A converter, and what lies under keys of what it gives.
class CallGetter final : public Getter {
 public:
  CallGetter(Call call, std::vector<PathKey> keys)
      : call_(std::move(call)), keys_(std::move(keys)) {}
  bool get(Evaluation& evaluation, Value& out) const override;
  ValueForm kind() const override {
    return keys_.empty() ? call_.function->result : ValueForm::kNil;
  }

 private:
  Call call_;
  std::vector<PathKey> keys_;
};

class ListGetter final : public Getter {
 public:
  explicit ListGetter(std::vector<GetterPtr> elements) : elements_(std::move(elements)) {}
  bool get(Evaluation& evaluation, Value& out) const override;
  ValueForm kind() const override { return ValueForm::kList; }

 private:
  std::vector<GetterPtr> elements_;
};

class MapGetter final : public Getter {
 public:
  explicit MapGetter(std::vector<std::pair<std::string, GetterPtr>> entries)
      : entries_(std::move(entries)) {}
  bool get(Evaluation& evaluation, Value& out) const override;
  ValueForm kind() const override { return ValueForm::kMap; }

 private:
  std::vector<std::pair<std::string, GetterPtr>> entries_;
};

class NegateGetter final : public Getter {
 public:
  NegateGetter(GetterPtr operand, std::size_t offset)
      : operand_(std::move(operand)), offset_(offset) {}
  bool get(Evaluation& evaluation, Value& out) const override;

 private:
  GetterPtr operand_;
  std::size_t offset_;
};

/// Of two ints an int, which wraps round; of one with a point, one with a point; of times and
/// durations their sums and differences.
class MathGetter final : public Getter {
 public:
  MathGetter(char op, GetterPtr left, GetterPtr right, std::size_t offset)
      : op_(op), left_(std::move(left)), right_(std::move(right)), offset_(offset) {}
  bool get(Evaluation& evaluation, Value& out) const override;

 private:
  char op_;
  GetterPtr left_;
  GetterPtr right_;
  std::size_t offset_;
};

class CompareTest final : public Test {
 public:
  CompareTest(Comparison comparison, GetterPtr left, GetterPtr right)
      : comparison_(comparison), left_(std::move(left)), right_(std::move(right)) {}
  bool test(Evaluation& evaluation, bool& out) const override;

 private:
  Comparison comparison_;
  GetterPtr left_;
  GetterPtr right_;
};

/// One after the other, until it is known.
class JoinedTest final : public Test {
 public:
  JoinedTest(std::vector<TestPtr> tests, bool is_or) : tests_(std::move(tests)), is_or_(is_or) {}
  bool test(Evaluation& evaluation, bool& out) const override;

 private:
  std::vector<TestPtr> tests_;
  bool is_or_;
};

class NotTest final : public Test {
 public:
  explicit NotTest(TestPtr test) : test_(std::move(test)) {}
  bool test(Evaluation& evaluation, bool& out) const override;

 private:
  TestPtr test_;
};

/// A value that is true or false.
class ValueTest final : public Test {
 public:
  ValueTest(GetterPtr value, std::size_t offset) : value_(std::move(value)), offset_(offset) {}
  bool test(Evaluation& evaluation, bool& out) const override;

 private:
  GetterPtr value_;
  std::size_t offset_;
};

class CallAction final : public StatementAction {
 public:
  explicit CallAction(Call call) : call_(std::move(call)) {}
  bool run(Evaluation& evaluation) const override;

 private:
  Call call_;
};

}  // namespace vigia::ottl::internal
