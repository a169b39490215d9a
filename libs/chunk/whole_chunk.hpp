// The chunk that ChunkWriter makes, of samples that are all there.
#pragma once

#include <span>
#include <string>

#include "libs/model/sample.hpp"

namespace vigia::chunk {

/// The same bytes as of a ChunkWriter to which these are appended one by one, which is slower since
/// a writer's bytes are whole after each. No bytes for no samples. Any order of time stamps; NaNs
/// keep their bits. REQUIRES: samples.size() <= kSamplesMax.
std::string write_chunk(std::span<const Sample> samples);

}  // namespace vigia::chunk
