#include "node/purge_command.hpp"

#include "node/command_runtime.hpp"
#include "node/data_path.hpp"
#include "node/job_states.hpp"
#include "node/store_text.hpp"
#include "node/target.hpp"
#include "node/text.hpp"

namespace troupe::node {

int purge_jobs(console& to, const purge_options& options, format how) {
  if (!options.dry_run && !options.yes)
    return to.fail(fault::not_confirmed);
  auto filter = ended_filter_of(options.which);
  if (!filter)
    return to.fail(filter.trouble());
  if (auto wrong = no_data_at(options.data))
    return to.fail(*wrong);
  auto opened = runtime::open(command_runtime(options.data));
  if (!opened)
    return to.fail(opened.error());
  auto count = opened->purge(*filter, options.dry_run);
  opened->close();
  if (!count)
    return to.fail(count.error());
  if (how == format::table)
    to.out((options.dry_run ? "would delete " : "deleted ") + counted(*count, "job") + "\n");
  else
    show(to,
         value::object{{"jobs", static_cast<std::int64_t>(*count)}, {"dry_run", options.dry_run}},
         how);
  return options.dry_run ? flushed(to)
                         : flushed(to, "they are deleted; `troupe jobs list"
                                           + data_option(options.data) + "` shows what is left");
}

} // namespace troupe::node
