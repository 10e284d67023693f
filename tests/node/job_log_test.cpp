#include "node/job_log.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/temp_dir.hpp"

#include <memory>
#include <sstream>
#include <vector>

using namespace troupe;
using namespace troupe::node;
using namespace std::chrono_literals;

namespace {

const observed_job some_job{*parse_job_id("01980000-0000-7000-8000-000000000001"), namespace_id{7},
                            "mail", "newsletter"};
const std::string about = " job=01980000-0000-7000-8000-000000000001 queue=mail namespace=7 "
                          "graph=newsletter";

struct fixture : tests::temp_dir {
  std::string name = path() / "log";
  std::FILE* file = std::fopen(name.c_str(), "w");
  std::unique_ptr<node::log> log;

  ~fixture() {
    log.reset();
    std::fclose(file);
  }
  job_log open(log_level level) {
    log = std::make_unique<node::log>(log_format::text, log_levels_of{level, {}}, ::fileno(file));
    return job_log{*log};
  }
  /// All lines, without their times.
  std::vector<std::string> lines() {
    log.reset();
    std::istringstream in{tests::read_file(name)};
    std::vector<std::string> all;
    for (std::string line; std::getline(in, line);)
      all.push_back(line.substr(line.find(' ') + 1));
    return all;
  }
};

void tell_all(observer& to) {
  job_step accepted{{}, job_state::pending, {}, {}, {}};
  job_step begun{job_state::pending, job_state::running, 3ms, {}, {}};
  job_step failed{job_state::running, job_state::failed, {}, 5ms, "job_failed"};
  to.job_stepped(some_job, accepted);
  to.job_stepped(some_job, begun);
  to.attempts_ended(some_job, {"jq", attempt_fate::succeeded, {}, 1ms, 2});
  to.attempts_ended(some_job, {"exec", attempt_fate::timed_out, "timed_out", 4ms, 1});
  to.job_stepped(some_job, failed);
  to.job_found(some_job, job_state::paused);
}

} // namespace

TEST_CASE_METHOD(fixture, "a job that has failed is a warning with the job and the code",
                 "[node]") {
  auto to = open(log_level::info);
  tell_all(to);
  CHECK(lines()
        == std::vector{"warn jobs: running -> failed, ran for 5 ms" + about + " code=job_failed"});
}

TEST_CASE_METHOD(fixture, "each step of a job can be seen, with the job", "[node]") {
  auto to = open(log_level::debug);
  tell_all(to);
  CHECK(lines()
        == std::vector{"debug jobs: accepted" + about, "debug jobs: pending -> running" + about,
                       "debug jobs: 1 attempt timed_out, exec, after 4 ms" + about
                           + " code=timed_out",
                       "warn jobs: running -> failed, ran for 5 ms" + about + " code=job_failed",
                       "debug jobs: found paused at the start" + about});
}

TEST_CASE_METHOD(fixture, "attempts that succeed are for those who want everything", "[node]") {
  auto to = open(log_level::trace);
  tell_all(to);
  auto all = lines();
  REQUIRE(all.size() == 6);
  CHECK(all[2] == "trace jobs: 2 attempts succeeded, jq, after 1 ms" + about);
}
