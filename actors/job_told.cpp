#include "actors/job_told.hpp"

#include "actors/job_blobs.hpp"
#include "actors/job_book.hpp"

#include <algorithm>

namespace troupe::actors {

bool has_result(const core::job& x) {
  return x.state != job_state::completed || !x.run
         || std::ranges::all_of(x.plan->result, [&](auto v) { return x.run->outputs[v].loaded(); });
}

void tell_job(const std::shared_ptr<environment>& env, core::job x, const messages::get_job& m) {
  if (!m.result || has_result(x))
    return m.done(info_of(x, m.result));
  auto read = [env, x = std::make_shared<core::job>(std::move(x)), done = m.done] {
    auto loaded = load_result(*x, *env);
    done(loaded ? result<job_info>{info_of(*x)} : loaded.error());
  };
  if (!env->read_beside)
    read();
  else if (!env->read_beside(read))
    m.done(error{ec::overloaded, "too many wait for large results; repeat after a while"});
}

} // namespace troupe::actors
