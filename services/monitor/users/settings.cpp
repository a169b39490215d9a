#include "services/monitor/users/settings.hpp"

#include "services/monitor/users/password.hpp"

namespace vigia::monitor::users {

FirstOperatorSettings read_first_operator(const service::ConfigNode& node) {
  const auto given = node.child("operator");
  FirstOperatorSettings settings;
  settings.user = given.child("user").text();
  const auto password = given.child("password");
  settings.password = password.text();
  if (settings.user.empty()) return settings;
  // Checked at each start, also when it is not used any more: a weak one in the file would become
  // an operator's as soon as the database were made anew.
  const auto checked = check_password_rules(settings.password, settings.user);
  if (!checked) password.note_error(checked.error().message);
  return settings;
}

}  // namespace vigia::monitor::users
