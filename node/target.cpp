#include "node/target.hpp"

#include "node/version.hpp"

#include <cstdlib>

namespace troupe::node {

namespace {

constexpr auto usual_data = ".troupe";

/// What the command line says, else the environment; `named_by` tells which.
std::string said(const std::optional<std::string>& option, const char* option_name,
                 const char* variable, std::string* named_by = nullptr) {
  auto from_environment = std::getenv(variable);
  auto text = option ? *option : from_environment ? from_environment : "";
  if (named_by && !text.empty())
    *named_by = option ? option_name : variable;
  return text;
}

/// Whether jobs are kept there, or it cannot be told: keys alone make no data directory.
bool has_data(const std::filesystem::path& directory) {
  std::error_code failed;
  return std::filesystem::exists(directory / "MANIFEST", failed) || failed
         || std::filesystem::exists(directory / "journal", failed);
}

} // namespace

answer<client::endpoint> node_of(const target_options& x) {
  client::endpoint at;
  if (auto url = said(x.url, "--url", "TROUPE_URL", &at.named_by); !url.empty() || x.url)
    at.url = url;
  at.token = said(x.token, "--token", "TROUPE_TOKEN");
  at.ca_file = said(x.ca_file, "--ca-file", "TROUPE_CA_FILE");
  at.agent = "troupe/" + version_number();
  return client::checked(std::move(at));
}

std::string data_option(const std::filesystem::path& data) {
  return data == usual_data ? "" : " --data " + data.string();
}

answer<target> target_of(const target_options& x) {
  if (x.data && x.url)
    return trouble{fault::bad_usage, "--data and --url do not go together",
                   "a verb looks into a data directory or asks a node", "leave one of them out"};
  if (x.data)
    return target{*x.data, {}, true};
  auto node = node_of(x);
  if (!node)
    return node.trouble();
  auto is_named = !node->named_by.empty();
  if (!is_named && has_data(usual_data))
    return target{usual_data, {}, false};
  return target{{}, std::move(*node), is_named};
}

} // namespace troupe::node
