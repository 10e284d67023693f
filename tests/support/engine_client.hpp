#pragma once

#include "actors/runtime_impl.hpp"
#include "actors/spec_check.hpp"
#include "tests/support/must.hpp"
#include "troupe/graph_builder.hpp"

namespace troupe::tests {

/// Asks an engine as the library does, for tests that look into it.
class engine_client {
public:
  explicit engine_client(const runtime_config& config, runtime::functions functions = {},
                         const actors::engine_pace& pace = {})
      : engine_(must(actors::engine::open(config, std::move(functions), {}, pace))) {}

  actors::engine& engine() { return *engine_; }

  graph_id add(const graph_spec& graph) { return must(engine_->env().graphs->add({}, graph)); }

  result<job_id> submit(const job_spec& spec) {
    auto request = actors::checked(spec, *engine_);
    return request ? send(std::move(*request)) : request.error();
  }

  /// A request that was checked before.
  result<job_id> send(messages::submit_job m) {
    return answer_of<result<job_id>>([&](auto done) {
      m.accepted = [done](const result<submitted>& x) {
        done(x ? result<job_id>{x->id} : x.error());
      };
      auto home = core::shard_of(core::place(m.ns, m.spec.queue), engine_->shards());
      return engine_->send(home, m);
    });
  }

  result<job_info> wait(job_id id) {
    return answer_of<result<job_info>>([&](auto done) {
      return engine_->send(id, messages::await_end{id, messages::end_waiter{done}});
    });
  }

  status remove(job_id id) {
    auto shard = core::shard_of(slot_of(id), engine_->shards());
    auto removed = answer_of<result<std::size_t>>([&](auto done) {
      return engine_->send(shard, messages::delete_jobs{{id}, "test", true, done});
    });
    return removed ? status{} : status{removed.error()};
  }

private:
  std::unique_ptr<actors::engine> engine_;
};

} // namespace troupe::tests
