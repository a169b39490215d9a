// Frames as a Prometheus streams them, for tests.
#pragma once

#include <string>
#include <vector>

#include "libs/chunk/chunk_writer.hpp"
#include "libs/wire/remote_read/read_response.hpp"

namespace vigia::storage::healing {

/// `samples` by time.
inline std::string xor_chunk(const std::vector<Sample>& samples) {
  chunk::ChunkWriter writer;
  for (const Sample& sample : samples) writer.append(sample);
  return std::string(writer.bytes());
}

/// A frame of one series with one chunk.
inline std::string frame_of(const Labels& labels, const std::string& chunk,
                            std::uint8_t encoding = 1) {
  wire::remote_read::ChunksResponse response;
  response.add_series(0, labels, {{0, 0, encoding, chunk}});
  return response.take();
}

inline Labels made_labels(const std::string& customer, const std::string& name) {
  std::vector<Label> labels = {{"__name__", name}, {"job", "customer-agents"}, {"node_id", "n1"}};
  if (!customer.empty()) labels.push_back({"customer_id", customer});
  return Labels::from(std::move(labels));
}

}  // namespace vigia::storage::healing
