#pragma once

#include "actors/kinds/attempt_runner.hpp"
#include "troupe/error.hpp"
#include "troupe/function.hpp"

#include <map>
#include <memory>
#include <shared_mutex>
#include <stop_token>
#include <vector>

namespace troupe::actors {

/// A function as it was registered.
struct registered_function {
  function body;
  bool pure = false; ///< Without effects outside: its output depends on what it is given only.
};

/// The C++ callables that graphs can name. Thread-safe; made for many look-ups.
class function_registry {
public:
  using entry = std::shared_ptr<const registered_function>;

  /// Adds a function. Errors: `invalid_spec` if the name is empty, too long or taken, or `body` is
  /// empty.
  status add(std::string name, function body, bool pure);

  /// Null if there is none of this name.
  entry find(std::string_view name) const;

  /// All names, in order.
  std::vector<std::string> names() const;

private:
  mutable std::shared_mutex mutex_;
  std::map<std::string, entry, std::less<>> entries_;
};

/// Calls `f` for `x` on this thread; whatever it throws is a failure of the attempt.
attempt_report call(const registered_function& f, const attempt& x, attempt_runner::log say,
                    std::stop_token stop);

/// The function that the config of `x` names. Null: `wrong` says why, code `unknown_function` or
/// `invalid_config`.
function_registry::entry find_function(const function_registry& all, const attempt& x,
                                       problem& wrong);

} // namespace troupe::actors
