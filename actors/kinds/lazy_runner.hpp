#pragma once

#include "actors/kinds/attempt_runner.hpp"

#include <memory>

namespace troupe::actors {

/// A runner that is made when it gets its first attempt: what is not used costs no thread and no
/// process. `make` is called once.
std::shared_ptr<attempt_runner> make_lazy(std::function<std::unique_ptr<attempt_runner>()> make);

} // namespace troupe::actors
