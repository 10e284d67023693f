#include "actors/shard_parts.hpp"

#include "actors/job_actor.hpp"
#include "actors/job_blobs.hpp"
#include "messages/work.hpp"

#include <caf/event_based_actor.hpp>
#include <caf/send.hpp>

namespace troupe::actors {

namespace msg = messages;

result<core::job> load_job(shard_self self, job_id id) {
  return shard_of(self).view->load(id, shard_of(self).graph_source());
}

result<core::job> load_whole(shard_self self, job_id id) {
  auto loaded = load_job(self, id);
  if (!loaded || core::is_being_ended(*loaded))
    return loaded;
  if (auto blobs = load_needed(*loaded, *shard_of(self).env); !blobs)
    return blobs.error();
  return loaded;
}

void start_job(shard_self self, job_book book, bool woken) {
  auto& st = self->state;
  auto id = book.job().id;
  auto actor = self->spawn<caf::monitored>(job_actor, st.shard, std::move(book), woken);
  st.by_address.emplace(actor.address(), id);
  st.live[id].actor = std::move(actor);
}

void keep(shard_self self, job_book book) {
  auto& st = self->state;
  auto id = book.job().id;
  auto at = book.at();
  st.fresh.insert_or_assign(id, std::move(book));
  when_durable(self, at, [&st, id, at] {
    auto found = st.fresh.find(id);
    if (found != st.fresh.end() && found->second.at() <= at)
      st.fresh.erase(found);
  });
}

void when_durable(shard_self self, core::position at, std::function<void()> forget) {
  self->state.forgetting.push_back({at, std::move(forget)});
}

void forget_durable(shard_self self) {
  auto& all = self->state.forgetting;
  for (auto durable = shard_of(self).log->durable(); !all.empty() && all.front().at <= durable;) {
    auto next = std::move(all.front().forget);
    all.pop_front();
    next();
  }
}

void forget_work(const environment& env, const core::job& x) {
  if (!env.work_board)
    return;
  caf::anon_send(env.work_board, msg::withdraw_work{x.id});
  if (x.run)
    for (auto& [v, detail] : x.run->details)
      if (detail.current && detail.lease > core::duration{})
        caf::anon_send(env.work_board, msg::drop_lease{*detail.current});
}

void fail_shard(shard_self self, const error& why) {
  auto& env = *shard_of(self).env;
  if (env.report)
    env.report("shard " + std::to_string(core::index_of(shard_of(self).id)) + " has failed: "
               + to_string(why.code) + ": " + why.detail + "; start the node again");
  shard_of(self).log->fail(why);
  shard_of(self).log->release();
}

core::pending_queue& queue_of(shard_self self, job_id id) {
  auto& recovery = self->state.recovery;
  return !recovery.done && id >= recovery.end ? recovery.late : self->state.queue;
}

} // namespace troupe::actors
