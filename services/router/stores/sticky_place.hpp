// Which of several equal stores a customer asks first.
#pragma once

#include <cstddef>
#include <string_view>

namespace vigia::router::stores {

/// A place of `count`, one at least: always the same for one payer, in every process and every
/// build, so that caches stay warm over releases. Payers spread evenly.
std::size_t sticky_place(std::string_view payer, std::size_t count);

}  // namespace vigia::router::stores
