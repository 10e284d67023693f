#include "actors/supervisor.hpp"

#include "messages/supervision.hpp"

#include <caf/event_based_actor.hpp>
#include <caf/send.hpp>

namespace troupe::actors {

namespace {

using self_ptr = caf::stateful_actor<supervisor_state>*;

void start(self_ptr self, std::size_t index) {
  auto& child = self->state.children[index];
  child.actor = child.spec.start(self);
  self->monitor(child.actor);
}

void end_all(self_ptr self, const caf::error& reason) {
  for (auto& child : self->state.children)
    self->send_exit(child.actor, caf::exit_reason::user_shutdown);
  self->quit(reason);
}

bool meant(const caf::error& reason) {
  return !reason || reason == caf::exit_reason::normal || reason == caf::exit_reason::user_shutdown;
}

void child_down(self_ptr self, const caf::down_msg& m) {
  auto& st = self->state;
  for (std::size_t i = 0; i < st.children.size(); ++i) {
    auto& child = st.children[i];
    if (child.actor.address() != m.source || meant(m.reason))
      continue;
    auto now = std::chrono::duration_cast<std::chrono::milliseconds>(
        self->clock().now().time_since_epoch());
    auto verdict = child.restarts.failed(st.how.policy, now);
    if (!verdict.escalate) {
      if (st.how.restarts)
        st.how.restarts(child.spec.name);
      self->delayed_send(self, verdict.delay, messages::restart_child{i});
      continue;
    }
    if (!std::exchange(st.escalated, true))
      st.how.escalate(child.spec.name);
    return end_all(self, caf::exit_reason::unhandled_exception);
  }
}

} // namespace

caf::behavior supervisor(caf::stateful_actor<supervisor_state>* self, supervision how) {
  self->set_default_handler(caf::drop);
  auto& st = self->state;
  st.how = std::move(how);
  for (auto& spec : st.how.children)
    st.children.push_back({spec, {}, {}});
  self->set_down_handler([self](const caf::down_msg& m) { child_down(self, m); });
  self->set_exit_handler([self](const caf::exit_msg& m) { end_all(self, m.reason); });
  for (std::size_t i = 0; i < st.children.size(); ++i)
    start(self, i);
  return {
      [self](const messages::restart_child& m) { start(self, m.index); },
  };
}

} // namespace troupe::actors
