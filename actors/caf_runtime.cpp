#include "actors/host_actor.hpp"
#include "actors/host_error.hpp"
#include "actors/kinds/actor_runner.hpp"
#include "actors/runtime_impl.hpp"
#include "core/names.hpp"

#include <caf/send.hpp>
#include <future>

namespace troupe {

namespace {

status check(caf::actor_system& system, const std::vector<actor_entry>& actors) {
  if (!system.config().error_renderers.count(actors::runtime_category))
    return error{ec::unsupported, "call troupe::caf_runtime::prepare with the configuration of the "
                                  "actor system before the system is made"};
  std::set<std::string> names;
  for (auto& x : actors) {
    if (!core::is_name(x.name) || !names.insert(x.name).second)
      return error{ec::invalid_spec, "actors: " + core::quoted(x.name)
                                         + " is no name (1 to 128 of A-Z a-z 0-9 _ . : -), or "
                                           "another entry has it"};
    if (!x.actor || x.parallel_max == 0)
      return error{ec::invalid_spec,
                   "actors: " + core::quoted(x.name) + " has no actor, or takes no attempt"};
  }
  return {};
}

/// A host that has registered actors has the kind `actor`.
actors::engine_host host_of(caf::actor_system& system,
                            const std::shared_ptr<actors::actor_runner>& runner) {
  actors::engine_host host;
  host.system = &system;
  if (runner) {
    host.kinds["actor"] = core::actor_kind([runner](auto& name) { return runner->knows(name); });
    host.runners["actor"] = runner;
  }
  return host;
}

} // namespace

struct caf_runtime::impl {
  impl(std::shared_ptr<actors::engine> x, std::shared_ptr<actors::actor_runner> y)
      : engine(std::move(x)),
        runner(std::move(y)),
        blocking(std::make_unique<runtime::impl>(engine)) {}
  ~impl() { close(); }

  /// If an exit message to the handle has done it all, the system may have ended since.
  void close() {
    engine->close();
    if (runner)
      runner->close();
    if (down.wait_for(std::chrono::seconds{0}) != std::future_status::ready) {
      caf::anon_send_exit(handle, caf::exit_reason::user_shutdown);
      down.wait();
    }
  }

  std::shared_ptr<actors::engine> engine;
  std::shared_ptr<actors::actor_runner> runner; ///< Null: the host has registered no actors.
  runtime blocking;
  std::shared_ptr<actors::task_thread> tasks =
      std::make_shared<actors::task_thread>(limits::host_tasks_max);
  runtime_actor handle;
  std::shared_future<void> down; ///< Once the handle has ended.
};

result<caf_runtime> caf_runtime::open(caf::actor_system& system, const runtime_config& config,
                                      runtime::functions functions,
                                      std::vector<actor_entry> actors) {
  if (auto good = check(system, actors); !good)
    return good.error();
  std::shared_ptr<actors::actor_runner> runner;
  if (!actors.empty())
    runner = std::make_shared<actors::actor_runner>(system, actors);
  auto engine = actors::engine::open(config, std::move(functions), host_of(system, runner));
  if (!engine) {
    if (runner)
      runner->close();
    return engine.error();
  }
  auto x = std::make_unique<impl>(std::move(*engine), runner);
  auto handle = system.spawn(actors::host_actor, x->engine, x->tasks, [runner] {
    if (runner)
      runner->close();
  });
  auto down = std::make_shared<std::promise<void>>();
  x->down = down->get_future();
  handle->attach_functor([down](const caf::error&) { down->set_value(); });
  x->handle = caf::actor_cast<runtime_actor>(handle);
  return caf_runtime{std::move(x)};
}

caf_runtime::caf_runtime(std::unique_ptr<impl> x) : impl_(std::move(x)) {}
caf_runtime::caf_runtime(caf_runtime&&) noexcept = default;
caf_runtime& caf_runtime::operator=(caf_runtime&&) noexcept = default;
caf_runtime::~caf_runtime() = default;

const runtime_actor& caf_runtime::handle() const noexcept { return impl_->handle; }
troupe::runtime& caf_runtime::blocking() noexcept { return impl_->blocking; }
void caf_runtime::close() { impl_->close(); }

status caf_runtime::replace(const std::string& name, caf::actor actor) {
  if (!impl_->runner || !impl_->runner->knows(name))
    return error{ec::invalid_spec, core::quoted(name) + " is no entry that `open` was given"};
  if (!actor)
    return error{ec::invalid_spec, core::quoted(name) + " needs an actor"};
  impl_->runner->replace(name, std::move(actor));
  return {};
}

} // namespace troupe
