// Trees into what is run: every name is looked up and every kind compared here.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "libs/base/result.hpp"
#include "libs/ottl/ast.hpp"
#include "libs/ottl/internal/function.hpp"
#include "libs/ottl/program.hpp"

namespace vigia::ottl::internal {

/// Of one text. Each method gives null where there is an error; the first one counts.
class Compiler {
 public:
  Compiler(std::string_view text, Context context, CompileBudget& budget)
      : text_(text), context_(context), budget_(budget) {}

  StatementActionPtr action(const Node& node);
  TestPtr test(const Node& node);
  GetterPtr getter(const Node& node);
  const Error& error() const { return *error_; }

 private:
  std::nullptr_t note(std::size_t offset, std::string_view message,
                      ErrorCode code = ErrorCode::kInvalid);
  std::unique_ptr<Path> path(const Node& node);
  const PathField* field_of(const PathNode& path, std::size_t offset);
  std::optional<std::vector<PathKey>> keys(const std::vector<NodePtr>& nodes);
  GetterPtr literal(const LiteralNode& node);
  GetterPtr enumerator(const EnumNode& node, std::size_t offset);
  GetterPtr list(const ListNode& node);
  GetterPtr map(const MapNode& node);
  GetterPtr converter(const CallNode& node, std::size_t offset);
  std::optional<std::vector<TestPtr>> tests(const std::vector<NodePtr>& nodes);

  // Calls; in compile_call.cpp.

  const Function* function_of(const CallNode& node, std::size_t offset);
  std::optional<Call> call(const CallNode& node, std::size_t offset);
  bool place_arguments(const CallNode& node, const Function& function,
                       std::vector<const Argument*>& placed);
  bool argument(Call& call, std::size_t at, const Node& node);
  bool target(Slot& slot, const Parameter& parameter, const Node& node);
  bool value(Slot& slot, const Parameter& parameter, const Node& node);
  bool pattern(Slot& slot, const Parameter& parameter, const Node& node);
  bool replacement(Call& call, std::size_t at, const Node& node);
  bool constant(Slot& slot, const Parameter& parameter, const Node& node);
  bool values(Slot& slot, const Parameter& parameter, const Node& node);
  bool applied(Slot& slot, const Node& node);
  bool check_target(const Call& call);

  const std::string_view text_;
  const Context context_;
  CompileBudget& budget_;
  std::optional<Error> error_;
};

/// `*` any characters, `?` one, `[a-z]` one of those, `{a,b}` one of these; a regex for all of a
/// text. Nothing where a bracket is not ended.
std::optional<std::string> regex_of_glob(std::string_view glob);

}  // namespace vigia::ottl::internal
