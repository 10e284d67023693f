#include "actors/attempt_reports.hpp"
#include "actors/runtime_impl.hpp"
#include "actors/work_token.hpp"
#include "core/names.hpp"
#include "core/payload.hpp"
#include "core/utf8.hpp"
#include "messages/work.hpp"
#include "storage/sha256.hpp"

#include <algorithm>

/// The part of `runtime` that workers call.
namespace troupe {

namespace {

namespace msg = messages;

error invalid(std::string why) { return {ec::invalid_spec, std::move(why)}; }

status check(const work_request& x) {
  if (x.queues.empty() || x.queues.size() > limits::work_queues_max)
    return invalid("a worker names 1 to " + std::to_string(limits::work_queues_max) + " queues");
  for (auto& queue : x.queues)
    if (!core::is_name(queue))
      return invalid("a queue has 1 to 128 letters, digits and `_.:-`, not " + core::quoted(queue));
  if (x.worker.size() > limits::name_bytes_max || core::find_bad_utf8(x.worker) != x.worker.npos)
    return invalid("the name of a worker has at most 128 bytes of UTF-8");
  if (x.count == 0 || x.count > limits::work_fetch_max)
    return invalid("`count` lies in 1…" + std::to_string(limits::work_fetch_max));
  if (x.lease < limits::work_lease_min || x.lease > limits::work_lease_max)
    return invalid("a lease lasts 1s to 24h");
  if (x.wait < std::chrono::milliseconds{} || x.wait > limits::work_wait_max)
    return invalid("a worker waits at most 60s; fetch again then");
  return {};
}

core::stream_kind stream_kind_of(emit_kind x) {
  switch (x) {
  case emit_kind::token: return core::stream_kind::token;
  case emit_kind::progress: return core::stream_kind::progress;
  case emit_kind::log: break;
  }
  return core::stream_kind::log;
}

/// The end of an attempt on its way to its job.
struct finishing {
  std::shared_ptr<actors::engine> engine;
  namespace_id ns{};
  actors::work_token at;
  std::function<void(const status&)> done;

  void send(core::attempt_result r) const {
    if (!engine->send(at.job, msg::finish_work{at.job, ns, at.proof, std::move(r), done}))
      done(closed());
  }
};

/// A large output is stored only for who has the lease. Who has not may repeat what was recorded,
/// which the name of the blob tells.
void finish_large(const finishing& x, value output) {
  auto& env = x.engine->env();
  if (env.blobs_lag())
    return x.done(error{ec::overloaded, "too many values wait to be stored; repeat after a while"});
  auto raw = std::make_shared<core::bytes>();
  core::encode(output, *raw);
  auto shared = std::make_shared<const value>(std::move(output));
  auto by_job = [x, raw, shared](const status& held) {
    if (held.code() == ec::stale_token) {
      core::payload named{core::blob_ref{storage::sha256(*raw), raw->size()}, shared};
      return x.send({x.at.vertex, core::attempt_end::succeeded, std::move(named), {}});
    }
    if (!held)
      return x.done(held);
    auto stored = x.engine->while_open([&]() -> result<bool> {
      actors::large_result(x.engine->env(), x.ns, x.at.vertex, std::move(*raw), shared,
                           [x](core::attempt_result r) { x.send(std::move(r)); });
      return true;
    });
    if (!stored)
      x.done(stored.error());
  };
  if (!x.engine->send(x.at.job, msg::find_lease{x.at.job, x.ns, x.at.vertex, x.at.proof,
                                                actors::answered<status>(by_job)}))
    x.done(closed());
}

/// Reports an end once its output is where a record can name it.
void finish(const std::shared_ptr<actors::engine>& engine, namespace_id ns,
            const std::string& token, actors::attempt_report report, runtime::reported then) {
  auto at = actors::parse_work_token(token, engine->incarnation());
  if (!at)
    return then(at.error());
  finishing x{engine, ns, *at, actors::answered<status>(std::move(then))};
  if (auto small = actors::small_result(at->vertex, report))
    x.send(std::move(*small));
  else
    finish_large(x, std::move(report.output));
}

/// Gathers what became of each lease.
class lease_answers {
public:
  lease_answers(std::vector<std::string> tokens, runtime::extended then)
      : left_(tokens.size()), then_(std::move(then)) {
    for (auto& token : tokens)
      states_.push_back({std::move(token), lease_state::condition::lost});
  }

  const std::string& token(std::size_t i) const { return states_[i].token; }
  std::size_t size() const noexcept { return states_.size(); }

  /// The last one answers.
  void answer(std::size_t i, const result<msg::lease_answer>& x) {
    std::unique_lock lock{mutex_};
    if (x)
      take(states_[i], *x);
    else if (x.code() != ec::stale_token && x.code() != ec::no_such_job
             && x.code() != ec::invalid_spec)
      trouble_ = x.error();
    if (--left_ > 0)
      return;
    lock.unlock();
    if (trouble_)
      then_(*trouble_);
    else
      then_(std::move(states_));
  }

private:
  void take(lease_state& to, const msg::lease_answer& x) {
    to.now = x.now;
    if (!x.messages || x.now != lease_state::condition::held)
      return;
    auto bytes = bytes_;
    for (auto& text : *x.messages)
      bytes += text.size();
    to.messages_left_out = bytes > limits::told_messages_bytes_max;
    if (to.messages_left_out)
      return;
    to.messages = *x.messages;
    bytes_ = bytes;
  }

  std::mutex mutex_;
  std::vector<lease_state> states_;
  std::size_t left_;
  std::size_t bytes_ = 0; ///< Of their messages.
  std::optional<error> trouble_;
  runtime::extended then_;
};

using lease_told = std::function<void(const result<msg::lease_answer>&)>;

void ask_board(const std::shared_ptr<actors::engine>& engine, namespace_id ns,
               const core::token& proof, lease_told then) {
  auto told = actors::answered<result<msg::lease_answer>>(std::move(then));
  if (!engine->send_board(msg::extend_lease{ns, proof, told}))
    told(closed());
}

/// Asks the board; if that does not know the lease, as after a restart, the job, which tells it.
void extend(const std::shared_ptr<actors::engine>& engine, namespace_id ns,
            const std::shared_ptr<lease_answers>& all, std::size_t i) {
  auto at = actors::parse_work_token(all->token(i), engine->incarnation());
  if (!at)
    return all->answer(i, at.error());
  auto told = [all, i](const result<msg::lease_answer>& x) { all->answer(i, x); };
  auto by_job = [engine, ns, proof = at->proof, told](const status& x) {
    if (x)
      ask_board(engine, ns, proof, told);
    else
      told(x.error());
  };
  auto by_board = [engine, ns, at = *at, told, by_job](const result<msg::lease_answer>& x) {
    if (x || x.code() != ec::no_such_job)
      return told(x);
    auto found = actors::answered<status>(by_job);
    if (!engine->send(at.job, msg::find_lease{at.job, ns, at.vertex, at.proof, found}))
      found(closed());
  };
  ask_board(engine, ns, at->proof, by_board);
}

} // namespace

std::function<void()> runtime::fetch_work(const work_request& what, fetched then) {
  if (auto right = troupe::check(what); !right) {
    then(right.error());
    return [] {};
  }
  auto engine = impl_->engine;
  using leased = std::vector<msg::leased_work>;
  auto done = actors::answered<result<leased>>(
      [incarnation = engine->incarnation(), then](const result<leased>& x) {
        if (!x)
          return then(x.error());
        std::vector<work_item> items;
        for (auto& work : *x) {
          items.push_back(work.item);
          if (work.told)
            items.back().messages = *work.told;
          items.back().token = actors::to_string(
              actors::work_token{incarnation, work.item.job, work.vertex, work.proof});
        }
        then(std::move(items));
      });
  auto fetch = engine->next_fetch();
  if (!engine->send_board(msg::fetch_work{fetch, what, done}))
    done(closed());
  return [engine, fetch] { engine->send_board(msg::drop_fetch{fetch}); };
}

result<std::vector<work_item>> runtime::fetch_work(const work_request& what) {
  std::function<void()> give_up;
  auto answer = answer_of<result<std::vector<work_item>>>(
      [&](auto done) { return give_up = fetch_work(what, std::move(done)), true; },
      limits::request_deadline + limits::work_wait_max);
  give_up();
  return answer;
}

void runtime::complete_work(namespace_id ns, const std::string& token, value output,
                            reported then) {
  if (auto wrong = core::unkeepable(output))
    return then(invalid("the output cannot be kept: " + wrong->detail));
  finish(impl_->engine, ns, token, {actors::attempt_end::succeeded, std::move(output), {}},
         std::move(then));
}

status runtime::complete_work(const std::string& token, value output, namespace_id ns) {
  return answer_of<status>([&](auto done) {
    return complete_work(ns, token, std::move(output), std::move(done)), true;
  });
}

void runtime::fail_work(namespace_id ns, const std::string& token, problem why, reported then) {
  if (!core::is_name(why.code))
    return then(invalid("the `code` of an error has 1 to 128 letters, digits and `_.:-`, not "
                        + core::quoted(why.code)));
  finish(impl_->engine, ns, token, {actors::attempt_end::failed, {}, std::move(why)},
         std::move(then));
}

status runtime::fail_work(const std::string& token, problem why, namespace_id ns) {
  return answer_of<status>(
      [&](auto done) { return fail_work(ns, token, std::move(why), std::move(done)), true; });
}

void runtime::emit_work(namespace_id ns, const std::string& token, std::uint64_t number,
                        emit_kind kind, std::string text, reported then) {
  auto at = actors::parse_work_token(token, impl_->engine->incarnation());
  if (!at)
    return then(at.error());
  if (number == 0 || text.empty())
    return then(invalid("what is emitted has a number from 1 and a text"));
  if (core::find_bad_utf8(text) != text.npos)
    return then(
        invalid("what is emitted is no UTF-8; encode bytes as text, in base64 for example"));
  if (text.size() > limits::log_piece_bytes_max)
    return then(error{ec::too_large, "one piece has at most "
                                         + std::to_string(limits::log_piece_bytes_max)
                                         + " bytes; send it in several"});
  auto done = actors::answered<status>(std::move(then));
  if (!impl_->engine->send(at->job, msg::emit_work{at->job, ns, at->vertex, at->proof, number,
                                                   stream_kind_of(kind), std::move(text), done}))
    done(closed());
}

status runtime::emit_work(const std::string& token, std::uint64_t number, emit_kind kind,
                          std::string text, namespace_id ns) {
  return answer_of<status>([&](auto done) {
    return emit_work(ns, token, number, kind, std::move(text), std::move(done)), true;
  });
}

void runtime::extend_leases(namespace_id ns, std::vector<std::string> tokens, extended then) {
  if (tokens.size() > limits::work_extend_max)
    return then(error{ec::too_large, "at most " + std::to_string(limits::work_extend_max)
                                         + " leases are extended at once"});
  if (tokens.empty())
    return then(std::vector<lease_state>{});
  auto all = std::make_shared<lease_answers>(std::move(tokens), std::move(then));
  for (std::size_t i = 0, count = all->size(); i < count; ++i)
    extend(impl_->engine, ns, all, i);
}

result<std::vector<lease_state>> runtime::extend_leases(std::vector<std::string> tokens,
                                                        namespace_id ns) {
  return answer_of<result<std::vector<lease_state>>>(
      [&](auto done) { return extend_leases(ns, std::move(tokens), std::move(done)), true; });
}

void runtime::return_work(namespace_id ns, const std::vector<std::string>& tokens) {
  auto& engine = *impl_->engine;
  for (auto& token : tokens)
    if (auto at = actors::parse_work_token(token, engine.incarnation()))
      engine.send_board(msg::return_lease{ns, at->proof});
}

} // namespace troupe
