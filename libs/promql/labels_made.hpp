// How large the labels are that a query makes.
#pragma once

#include <cstdint>

#include "libs/promql/ast.hpp"

namespace vigia::promql {

/// What the stores take: the labels of a series together.
inline constexpr std::uint64_t kStoredLabelBytesMax = 64U << 10U;

/// The most bytes of labels that label_join and label_replace can give one series on the way
/// through the query, where every label that comes from a store has a value of `stored` bytes, the
/// most that one may have if nothing else is known. Prometheus builds them without any bound of its
/// own, and no time-out or limit of samples sees them. Saturates at the largest number.
std::uint64_t label_bytes_made(const Expr& expr, std::uint64_t stored = kStoredLabelBytesMax);

}  // namespace vigia::promql
