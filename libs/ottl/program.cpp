#include "libs/ottl/program.hpp"

#include <utility>

#include <fmt/format.h>

#include "libs/ottl/internal/compiler.hpp"
#include "libs/ottl/parser.hpp"

namespace vigia::ottl {
namespace {

std::string described(std::string_view text, const Fault& fault) {
  constexpr std::size_t kShownMax = 200;
  return fmt::format("{} of `{:.{}}`: {}", place_in(text, fault.offset), text, kShownMax,
                     fault.what);
}

}  // namespace

Condition::Condition(std::string text, std::unique_ptr<internal::Test> test)
    : text_(std::move(text)), test_(std::move(test)) {}
Condition::Condition(Condition&&) noexcept = default;
Condition& Condition::operator=(Condition&&) noexcept = default;
Condition::~Condition() = default;

Result<Condition> Condition::compile(std::string_view text, Context context,
                                     CompileBudget& budget) {
  auto tree = parse_condition(text);
  if (!tree) return forward(tree);
  internal::Compiler compiler(text, context, budget);
  auto test = compiler.test(**tree);
  if (!test) return tl::unexpected<Error>(compiler.error());
  return Condition(std::string(text), std::move(test));
}

bool Condition::test(Evaluation& evaluation, bool& out) const {
  if (test_->test(evaluation, out)) return true;
  out = false;
  return false;
}

std::string Condition::describe(const Fault& fault) const { return described(text_, fault); }

Statement::Statement(std::string text, std::unique_ptr<internal::StatementAction> action,
                     std::unique_ptr<internal::Test> where)
    : text_(std::move(text)), action_(std::move(action)), where_(std::move(where)) {}
Statement::Statement(Statement&&) noexcept = default;
Statement& Statement::operator=(Statement&&) noexcept = default;
Statement::~Statement() = default;

Result<Statement> Statement::compile(std::string_view text, Context context,
                                     CompileBudget& budget) {
  auto tree = parse_statement(text);
  if (!tree) return forward(tree);
  internal::Compiler compiler(text, context, budget);
  auto action = compiler.action(*tree->editor);
  if (!action) return tl::unexpected<Error>(compiler.error());
  std::unique_ptr<internal::Test> where;
  if (tree->where) {
    where = compiler.test(*tree->where);
    if (!where) return tl::unexpected<Error>(compiler.error());
  }
  return Statement(std::string(text), std::move(action), std::move(where));
}

bool Statement::run(Evaluation& evaluation) const {
  bool is_met = true;
  if (where_ && !where_->test(evaluation, is_met)) return false;
  return !is_met || action_->run(evaluation);
}

std::string Statement::describe(const Fault& fault) const { return described(text_, fault); }

}  // namespace vigia::ottl
