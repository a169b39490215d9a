// Expressions, ready to be run.
#pragma once

#include <memory>
#include <vector>

#include "libs/ottl/evaluation.hpp"
#include "libs/ottl/value.hpp"

namespace vigia::ottl::internal {

/// Gives a value for a record. Thread contract: any, several at once, each with its own evaluation.
/// May throw protozero::exception on damaged bytes, WorkIsUsedUp.
class Getter {
 public:
  virtual ~Getter() = default;
  /// False with a fault.
  virtual bool get(Evaluation& evaluation, Value& out) const = 0;
  /// The kind that it always has; nil: it may be any, or nothing.
  virtual ValueForm kind() const { return ValueForm::kNil; }
  /// The value where it is the same for all records.
  virtual const Value* literal() const { return nullptr; }
};
using GetterPtr = std::unique_ptr<Getter>;

/// True or false for a record.
class Test {
 public:
  virtual ~Test() = default;
  /// False with a fault, in which case `out` says nothing.
  virtual bool test(Evaluation& evaluation, bool& out) const = 0;
};
using TestPtr = std::unique_ptr<Test>;

/// What a statement does to a record.
class StatementAction {
 public:
  virtual ~StatementAction() = default;
  /// False with a fault; what was changed before it stays.
  virtual bool run(Evaluation& evaluation) const = 0;
};
using StatementActionPtr = std::unique_ptr<StatementAction>;

}  // namespace vigia::ottl::internal
