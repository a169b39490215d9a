#include "services/storage/service.hpp"

int main(int argument_count, char** arguments) {
  namespace service = vigia::service;
  namespace storage = vigia::storage;
  const auto code =
      service::run_command(argument_count, arguments, "vigia-storage", storage::commands());
  return code ? *code
              : service::run_program(argument_count, arguments, storage::describe_program());
}
