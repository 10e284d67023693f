#include "troupe/runtime.hpp"

#include "actors/event_feed.hpp"
#include "actors/runtime_impl.hpp"
#include "actors/spec_check.hpp"

#include <algorithm>

namespace troupe {

namespace msg = messages;

struct event_reader::impl {
  impl(std::shared_ptr<actors::shard_context> shard, job_id job, std::uint64_t from,
       std::uint64_t first_live)
      : feed(std::move(shard), job, from, first_live) {}

  actors::event_feed feed;
};

result<std::vector<event>> event_reader::next(std::chrono::milliseconds timeout) {
  return impl_->feed.next(std::chrono::steady_clock::now() + timeout);
}

runtime::runtime(std::unique_ptr<impl> x) : impl_(std::move(x)) {}
runtime::runtime(runtime&&) noexcept = default;
runtime& runtime::operator=(runtime&&) noexcept = default;
runtime::~runtime() = default;

result<runtime> runtime::open(const runtime_config& config, functions functions) {
  auto engine = actors::engine::open(config, std::move(functions));
  if (!engine)
    return engine.error();
  return runtime{std::make_unique<impl>(std::move(*engine))};
}

void runtime::close() { impl_->engine->close(); }

problems runtime::check(const graph_spec& graph) const {
  return core::check(graph, impl_->engine->env().kinds);
}

result<graph_id> runtime::add_graph(const graph_spec& graph, namespace_id ns) {
  auto wrong = check(graph);
  if (!wrong.empty())
    return error{ec::invalid_spec,
                 wrong.front().pointer + ": " + wrong.front().detail
                     + (wrong.size() > 1 ? " (and more; see runtime::check)" : "")};
  auto& engine = *impl_->engine;
  return engine.while_open([&] { return engine.env().graphs->add(ns, graph); });
}

result<graph_spec> runtime::graph(const graph_id& id, namespace_id ns) {
  auto& engine = *impl_->engine;
  return engine.while_open([&] { return engine.env().graphs->spec(ns, id); });
}

void runtime::submit_once(const job_spec& spec, accepted_once then, ended finally) {
  auto& engine = *impl_->engine;
  if (engine.env().blobs_lag())
    return then(error{ec::overloaded, "large values wait for the disk; repeat after a while"});
  auto request = engine.while_open([&] { return actors::checked(spec, engine); });
  if (!request)
    return then(request.error());
  request->accepted = actors::answered<result<submitted>>(std::move(then));
  request->ended = std::move(finally);
  auto refused = request->accepted;
  if (!engine.send(impl_->home_of(spec.ns, spec.queue), std::move(*request)))
    refused(closed());
}

result<submitted> runtime::submit_once(const job_spec& spec) {
  return answer_of<result<submitted>>(
      [&](auto done) { return submit_once(spec, std::move(done)), true; });
}

void runtime::submit(const job_spec& spec, accepted then, ended finally) {
  auto told = [then = std::move(then)](const result<submitted>& x) {
    then(x ? result<job_id>{x->id} : x.error());
  };
  submit_once(spec, std::move(told), std::move(finally));
}

result<job_id> runtime::submit(const job_spec& spec) {
  return answer_of<result<job_id>>([&](auto done) { return submit(spec, std::move(done)), true; });
}

result<job_info> runtime::get(job_id id) {
  return answer_of<result<job_info>>([&](auto done) {
    return impl_->engine->send(id, msg::get_job{id, std::move(done)});
  });
}

result<job_info> runtime::wait(job_id id, std::chrono::milliseconds timeout) {
  std::function<void()> give_up;
  auto answer = answer_of<result<job_info>>(
      [&](auto done) {
        msg::end_waiter waiter{std::move(done)};
        give_up = waiter.taker();
        return impl_->engine->send(id, msg::await_end{id, std::move(waiter)});
      },
      timeout);
  give_up();
  return answer;
}

status runtime::cancel(job_id id, std::string reason) {
  return impl_->move(id, core::job_request::cancel, std::move(reason));
}
status runtime::stop(job_id id, std::string reason) {
  return impl_->move(id, core::job_request::stop, std::move(reason));
}
status runtime::pause(job_id id, std::string reason) {
  return impl_->move(id, core::job_request::pause, std::move(reason));
}
status runtime::resume(job_id id, std::string reason) {
  return impl_->move(id, core::job_request::resume, std::move(reason));
}

status runtime::release(job_id id) {
  return answer_of<status>([&](auto done) {
    return impl_->engine->send(id, msg::release_job{id, std::move(done)});
  });
}

result<event_reader> runtime::events(job_id id, std::uint64_t from) {
  auto first = answer_of<result<std::uint64_t>>([&](auto done) {
    return impl_->engine->send(id, msg::watch_job{id, std::move(done)});
  });
  if (!first)
    return first.error();
  event_reader reader;
  reader.impl_ = std::make_shared<event_reader::impl>(impl_->engine->context(id), id, from, *first);
  return reader;
}

} // namespace troupe
