#include "actors/attempt_reports.hpp"

#include "core/utf8.hpp"

#include <caf/send.hpp>

namespace troupe::actors {

namespace {

core::attempt_result failed(core::vertex_index v, problem why) {
  return {v, attempt_end::failed, {}, std::move(why)};
}

void cut(std::string& text, std::size_t limit, const char* mark) {
  if (core::find_bad_utf8(text) != text.npos)
    text = core::replace_bad_utf8(text);
  if (text.size() <= limit)
    return;
  text.resize(core::whole_characters(text, limit));
  text += mark;
}

/// Problems go into records: they are cut to a length for people.
problem cut(problem x) {
  cut(x.code, limits::name_bytes_max, "");
  cut(x.pointer, limits::problem_bytes_max, "");
  cut(x.detail, limits::problem_bytes_max, "…");
  return x;
}

} // namespace

std::optional<core::attempt_result> small_result(core::vertex_index v, attempt_report& x) {
  if (x.outcome != attempt_end::succeeded)
    return core::attempt_result{v, x.outcome, {}, cut(std::move(x.reason))};
  auto size = core::encoded_size(x.output);
  if (size > limits::value_bytes_max)
    return failed(v, {"too_large", "",
                      "the output has " + std::to_string(size) + " bytes, allowed are "
                          + std::to_string(limits::value_bytes_max)});
  if (size > limits::record_value_bytes_max)
    return {};
  return core::attempt_result{v, attempt_end::succeeded, core::payload{std::move(x.output)}, {}};
}

void large_result(environment& env, namespace_id ns, core::vertex_index v, core::bytes raw,
                  std::shared_ptr<const value> output,
                  const std::function<void(core::attempt_result)>& then) {
  env.put_blob(ns, std::move(raw), [v, output, then](const result<core::blob_ref>& stored) {
    if (stored)
      then({v, attempt_end::succeeded, core::payload{*stored, output}, {}});
    else
      then(failed(v, {to_string(stored.code()), "",
                      "the output could not be stored: " + stored.error().detail}));
  });
}

void to_result(environment& env, namespace_id ns, core::vertex_index v, attempt_report x,
               const std::function<void(core::attempt_result)>& then) {
  if (auto small = small_result(v, x))
    return then(std::move(*small));
  core::bytes raw;
  core::encode(x.output, raw);
  large_result(env, ns, v, std::move(raw), std::make_shared<const value>(std::move(x.output)),
               then);
}

attempt_runner::report reporter(std::shared_ptr<environment> env, namespace_id ns, caf::actor job,
                                core::vertex_index v, core::token proof) {
  return [env = std::move(env), ns, job = std::move(job), v, proof](attempt_report x) {
    to_result(*env, ns, v, std::move(x), [job, proof](core::attempt_result r) {
      caf::anon_send(job, messages::attempt_done{proof, std::move(r)});
    });
  };
}

} // namespace troupe::actors
