#include "services/storage/service.hpp"

int main(int argument_count, char** arguments) {
  return vigia::service::run_program(argument_count, arguments, vigia::storage::describe_program());
}
