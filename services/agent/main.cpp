#include "libs/service/program.hpp"
#include "services/agent/service.hpp"
#include "services/agent/settings.hpp"

int main(int argument_count, char** arguments) {
  vigia::service::ProgramDescription description;
  description.name = "vigia-agent";
  description.summary =
      "Runs on a customer's node: reads the host, relays applications' telemetry, buffers, sends.";
  description.config_help = vigia::agent::kConfigHelp;
  description.prepare = [](const vigia::service::ConfigFile& file)
      -> vigia::Result<std::function<vigia::Result<std::unique_ptr<vigia::service::Running>>()>> {
    auto settings = vigia::agent::Settings::read(file);
    if (!settings) return vigia::forward(settings);
    return [settings = *std::move(settings)] { return vigia::agent::start_agent(settings); };
  };
  return vigia::service::run_program(argument_count, arguments, description);
}

// libcurl brings GnuTLS along for a protocol that is never spoken here. GnuTLS asks for this
// function while it is loaded, and leaves its start-up (self-tests, PKCS #11) out where it says so.
extern "C" int _gnutls_global_init_skip() {  // NOLINT(bugprone-reserved-identifier)
  return 1;
}
