#include "services/agent/service.hpp"

int main(int argument_count, char** arguments) {
  return vigia::service::run_program(argument_count, arguments, vigia::agent::describe_program());
}

// libcurl brings GnuTLS along for a protocol that is never spoken here. GnuTLS asks for this
// function while it is loaded, and leaves its start-up (self-tests, PKCS #11) out where it says so.
extern "C" int _gnutls_global_init_skip() {  // NOLINT(bugprone-reserved-identifier)
  return 1;
}
