// Which fields a statement sees.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "libs/base/result.hpp"
#include "libs/model/signal.hpp"
#include "libs/ottl/ast.hpp"
#include "libs/ottl/record.hpp"

namespace vigia::ottl {

/// What a statement is run for, once each: a resource, a scope, …
enum class Context : std::uint8_t { kResource, kScope, kSpan, kSpanEvent, kMetric, kPoint, kLog };

inline constexpr std::size_t kContexts = 7;

/// "log", "datapoint": as files name it.
std::string_view name_of(Context context);
/// Nothing for a name of none. "instrumentation_scope" is the scope.
std::optional<Context> find_context(std::string_view name);
/// Whether items of the signal have it.
bool is_of(Context context, Signal signal);
/// Whether paths of `other` are seen in `context`: its own and those of what it stands in.
bool sees(Context context, Context other);
MessageLevel level_of(Context context);

/// The first word of a path names the context that it is of, as in `log.body`.
std::optional<Context> context_of(const PathNode& path);

/// The contexts that the paths of a tree name; kInvalid for a path that names none, with its place
/// in `text`.
Result<std::vector<Context>> contexts_in(const Node& node, std::string_view text);
/// Whether a word stands for a number, as SEVERITY_NUMBER_ERROR does.
bool is_enum(std::string_view name);

/// The one that sees all of those. Nothing where there is none, or none of the signal.
std::optional<Context> common_context(const std::vector<Context>& contexts, Signal signal);

}  // namespace vigia::ottl
