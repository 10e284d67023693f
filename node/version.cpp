#include "node/version.hpp"

#include "node/text.hpp"

#include <caf/config.hpp>

namespace troupe::node {

namespace {

std::string caf_version() {
  return std::to_string(CAF_MAJOR_VERSION) + "." + std::to_string(CAF_MINOR_VERSION) + "."
         + std::to_string(CAF_PATCH_VERSION);
}

constexpr auto compiler =
#ifdef __clang__
    "clang++ " __clang_version__;
#else
    "g++ " __VERSION__;
#endif

} // namespace

std::string version_number() { return TROUPE_VERSION; }

std::string version_line() { return "troupe " TROUPE_VERSION; }

int show_version(console& to, format how) {
  if (how == format::table) {
    const row rows[] = {{"troupe", TROUPE_VERSION},
                        {"build", TROUPE_BUILD_TYPE},
                        {"compiler", compiler},
                        {"caf", caf_version()}};
    to.out(table_of(rows));
  } else {
    value::object all{{"troupe", TROUPE_VERSION},
                      {"build", TROUPE_BUILD_TYPE},
                      {"compiler", compiler},
                      {"caf", caf_version()}};
    how == format::json ? to.out_json(value{all}) : to.out_line(value{all});
  }
  return to.flush() ? number(exit_code::ok) : to.fail(fault::output_failed);
}

} // namespace troupe::node
