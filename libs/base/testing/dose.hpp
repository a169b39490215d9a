// How much a test does: enough in every run, all of it in a thorough one.
#pragma once

#include <cstdlib>

namespace vigia {

/// `thorough` where VIGIA_THOROUGH is set (./vigia test thorough), else `usual`: for rounds of
/// chance, and for walks over every place where each shows the same.
inline int dose(int usual, int thorough) {
  return std::getenv("VIGIA_THOROUGH") != nullptr ? thorough : usual;
}

}  // namespace vigia
