// Statements and conditions, ready to be run over records.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "libs/base/result.hpp"
#include "libs/ottl/context.hpp"
#include "libs/ottl/evaluation.hpp"
#include "libs/ottl/text_regex.hpp"

namespace vigia::ottl {

namespace internal {
class StatementAction;
class Test;
}  // namespace internal

/// What the texts of one configuration share. Not thread-safe.
struct CompileBudget {
  RegexRoom regexes;
  /// Attributes that no statement changes.
  wire::edit::IsProtected is_fenced = is_customer_attribute;
  std::size_t accesses = 0;  ///< fields, calls, regexes of what was compiled: work goes by them
};

/// Nothing that a text names is looked up while it runs. All of it is const: any thread, several at
/// once, each with its own evaluation. Running may throw protozero::exception on damaged bytes, and
/// WorkIsUsedUp.
class Condition {
 public:
  /// "LINE:COLUMN: …": kInvalid for what is no condition, or names a field or function that is not
  /// taken; kTooLarge past limits.hpp.
  static Result<Condition> compile(std::string_view text, Context context, CompileBudget& budget);
  Condition(Condition&&) noexcept;
  Condition& operator=(Condition&&) noexcept;
  ~Condition();

  /// False with a fault of the evaluation, in which case `out` is false too.
  bool test(Evaluation& evaluation, bool& out) const;
  /// "1:7 of `text`: …"
  std::string describe(const Fault& fault) const;

 private:
  Condition(std::string text, std::unique_ptr<internal::Test> test);
  std::string text_;
  std::unique_ptr<internal::Test> test_;
};

class Statement {
 public:
  /// As of a condition. A statement that names customer.id as what it changes is refused.
  static Result<Statement> compile(std::string_view text, Context context, CompileBudget& budget);
  Statement(Statement&&) noexcept;
  Statement& operator=(Statement&&) noexcept;
  ~Statement();

  /// Where its condition is met its editor runs. False with a fault; what was changed before it
  /// stays.
  bool run(Evaluation& evaluation) const;
  std::string describe(const Fault& fault) const;

 private:
  Statement(std::string text, std::unique_ptr<internal::StatementAction> action,
            std::unique_ptr<internal::Test> where);
  std::string text_;
  std::unique_ptr<internal::StatementAction> action_;
  std::unique_ptr<internal::Test> where_;  ///< null: always
};

}  // namespace vigia::ottl
