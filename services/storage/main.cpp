#include "services/storage/service.hpp"

namespace {

using vigia::Result;

Result<std::unique_ptr<vigia::service::Running>> start(const vigia::storage::Settings& settings) {
  auto service = vigia::storage::Service::start(settings);
  if (!service) return vigia::forward(service);
  return std::unique_ptr<vigia::service::Running>(std::move(*service));
}

Result<std::function<Result<std::unique_ptr<vigia::service::Running>>()>> prepare(
    const vigia::service::ConfigFile& file) {
  const vigia::storage::Settings settings = vigia::storage::read_settings(file);
  if (auto finished = file.finish(); !finished) return vigia::forward(finished);
  return [settings] { return start(settings); };
}

}  // namespace

int main(int argument_count, char** arguments) {
  vigia::service::ProgramDescription description;
  description.name = "vigia-storage";
  description.summary = "Keeps metrics, traces and logs for years and gives them back.";
  description.config_help = vigia::storage::kConfigHelp;
  description.prepare = prepare;
  return vigia::service::run_program(argument_count, arguments, description);
}
