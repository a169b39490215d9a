#include "libs/service/program.hpp"
#include "services/router/service.hpp"
#include "services/router/settings.hpp"

namespace {

using Start = std::function<vigia::Result<std::unique_ptr<vigia::service::Running>>()>;

vigia::Result<Start> prepare(const vigia::service::ConfigFile& file) {
  auto settings = vigia::router::read_settings(file.root());
  auto finished = file.finish();
  if (!finished) return vigia::forward(finished);
  return Start([settings] { return vigia::router::start_router(settings); });
}

}  // namespace

int main(int argument_count, char** arguments) {
  vigia::service::ProgramDescription description;
  description.name = "vigia-router";
  description.summary = "Answers queries: fences each to its customer and asks hot or cold.";
  description.config_help = vigia::router::config_help();
  description.prepare = prepare;
  return vigia::service::run_program(argument_count, arguments, description);
}
