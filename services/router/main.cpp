#include "services/router/service.hpp"

int main(int argument_count, char** arguments) {
  return vigia::service::run_program(argument_count, arguments, vigia::router::describe_program());
}
