#include "services/monitor/api/object_ids.hpp"

#include <algorithm>

#include "libs/base/hex.hpp"
#include "libs/base/random.hpp"

namespace vigia::monitor::api {
namespace {

constexpr std::size_t kIdBytes = 16;

}  // namespace

std::string new_id() { return to_hex(random_bytes(kIdBytes)); }

bool is_object_id(std::string_view text) {
  return text.size() == 2 * kIdBytes && std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
         });
}

}  // namespace vigia::monitor::api
