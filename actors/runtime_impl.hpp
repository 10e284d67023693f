#pragma once

#include "actors/engine.hpp"
#include "troupe/runtime.hpp"

namespace troupe {

struct runtime::impl {
  std::shared_ptr<actors::engine> engine;
};

} // namespace troupe
