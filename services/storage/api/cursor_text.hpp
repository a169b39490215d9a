// How a page's end goes to whoever asks for the next page, and comes back.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "libs/base/result.hpp"
#include "libs/model/ids.hpp"

namespace vigia::storage::api {

inline constexpr std::size_t kCursorTextMax = 512;

/// A word of hex digits: the bytes and a sum of them. The sum keeps out what was cut or mistyped.
/// It is no seal: whoever makes up a cursor goes to another place of what the fence lets him read
/// anyway.
std::string to_cursor_text(std::string bytes);
/// The bytes again; nothing for what to_cursor_text has not made.
std::optional<std::string> from_cursor_text(std::string_view text);
/// Whose place it is; nothing where the text is no customer's id.
std::optional<CustomerId> cursor_customer(std::string_view text);
/// The error of whoever gives another text.
tl::unexpected<Error> no_cursor();

}  // namespace vigia::storage::api
