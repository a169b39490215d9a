// Ids are types of their own: a string can't be passed for a customer.
#pragma once

#include <compare>
#include <functional>
#include <string>
#include <string_view>

#include "libs/base/result.hpp"

namespace vigia {

/// Whose data it is. First parameter of whatever reads or writes stored data.
/// Matches [a-z0-9](-?[a-z0-9]){0,62}; or is `_provider`, the owner of series without a customer
/// (operators only).
class CustomerId {
 public:
  /// kInvalid, with the rule in the message, on anything that is not a customer's id. `_provider`
  /// is refused too: it never comes from outside.
  static Result<CustomerId> parse(std::string_view text);
  /// The owner of what belongs to no customer.
  static CustomerId provider();

  const std::string& text() const { return text_; }
  bool is_provider() const;
  auto operator<=>(const CustomerId&) const = default;

 private:
  explicit CustomerId(std::string text) : text_(std::move(text)) {}
  std::string text_;
};

/// A node of a customer: the customer's pattern plus dots and upper case, at most 128 characters.
class NodeId {
 public:
  static Result<NodeId> parse(std::string_view text);
  const std::string& text() const { return text_; }
  auto operator<=>(const NodeId&) const = default;

 private:
  explicit NodeId(std::string text) : text_(std::move(text)) {}
  std::string text_;
};

}  // namespace vigia

template <>
struct std::hash<vigia::CustomerId> {
  std::size_t operator()(const vigia::CustomerId& id) const noexcept {
    return std::hash<std::string>{}(id.text());
  }
};
