// Labels as a JSON object.
#pragma once

#include <cstddef>
#include <string>

#include "libs/model/labels.hpp"

namespace vigia::storage::api {

/// {"__name__":"up","pod":"p-1"}
std::string labels_json(const Labels& labels);
/// At least the bytes of that, without making it.
std::size_t labels_json_bytes_max(const Labels& labels);

}  // namespace vigia::storage::api
