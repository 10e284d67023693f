#include "actors/kinds/actor_runner.hpp"

#include "actors/kinds/actor_dispatcher.hpp"
#include "messages/host.hpp"

#include <caf/send.hpp>

namespace troupe::actors {

namespace msg = messages;

actor_runner::actor_runner(caf::actor_system& system, const std::vector<actor_entry>& entries)
    : dispatcher_(system.spawn(actor_dispatcher, entries)) {
  for (auto& x : entries)
    names_.insert(x.name);
}

void actor_runner::start(attempt x, report done, log say) {
  auto name = x.config.find("name");
  if (!name || !name->string())
    return done({attempt_end::failed,
                 {},
                 {"invalid_config", "/name", "`name` is the name of a registered actor"}});
  if (!knows(*name->string()))
    return done(
        {attempt_end::failed,
         {},
         {"unknown_actor", "/name", "no actor is registered as `" + *name->string() + "`"}});
  auto call = std::make_shared<actor_call>();
  call->name = *name->string();
  call->what = std::move(x);
  call->done = std::move(done);
  call->say = std::move(say);
  caf::anon_send(dispatcher_, msg::dispatch{std::move(call)});
}

void actor_runner::cancel(core::token proof, core::duration grace) {
  caf::anon_send(dispatcher_, msg::recall{proof, grace});
}

void actor_runner::replace(const std::string& name, caf::actor to) {
  caf::anon_send(dispatcher_, msg::replace_actor{name, std::move(to)});
}

void actor_runner::close() {
  if (!closed_.exchange(true))
    caf::anon_send_exit(dispatcher_, caf::exit_reason::user_shutdown);
}

} // namespace troupe::actors
