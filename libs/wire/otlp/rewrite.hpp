// Bodies with what their senders have left out.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "libs/base/result.hpp"
#include "libs/model/signal.hpp"

namespace vigia::wire::otlp {

struct Additions {
  /// Value of `customer.id` for each resource that names nobody; "": none is added.
  std::string_view customer = {};
  /// When the first log record without a time (neither its own nor when it was observed) is said to
  /// have been observed, or the first span without a start to have been; each further one 1 ns
  /// later, so that equal ones stay apart and in their order. What is_valid_… refuses is left as
  /// it is. 0: none is added.
  std::uint64_t first_time_ns = 0;
};

/// The body with these additions, all else byte for byte as it was; its items are the same ones in
/// the same order. kInvalid where the body is no Export…ServiceRequest of that signal.
Result<std::string> with_additions(Signal signal, std::string_view body,
                                   const Additions& additions);

/// True where no attribute `customer.id` of an encoded Resource says anything. Throws
/// protozero::exception on damaged bytes.
bool names_nobody(std::string_view resource);

}  // namespace vigia::wire::otlp
