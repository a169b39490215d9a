#include "services/monitor/maintenance.hpp"
#include "services/monitor/service.hpp"

int main(int argument_count, char** arguments) {
  if (vigia::monitor::is_maintenance(argument_count, arguments)) {
    return vigia::monitor::run_maintenance(argument_count, arguments);
  }
  return vigia::service::run_program(argument_count, arguments, vigia::monitor::describe_program());
}
