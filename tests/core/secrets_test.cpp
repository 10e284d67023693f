#include "core/secrets.hpp"
#include "tests/support/catch.hpp"

using troupe::core::without_secrets;

TEST_CASE("the secret of a key is cut, however it is written", "[core][secrets]") {
  auto key = "trp_0a1b2c3d_" + std::string(43, 'S');
  CHECK(without_secrets("Bearer " + key + ", then") == "Bearer trp_0a1b2c3d_…, then");
  CHECK(without_secrets(key + key) == "trp_0a1b2c3d_…");
  CHECK(without_secrets("trp_ trp_ab") == "trp_ trp_ab");
  CHECK(without_secrets("/v1/jobs/trp%5F0a1b2c3d%5fSECRET%53?x") == "/v1/jobs/trp_0a1b2c3d_…?x");
  CHECK(without_secrets("label=%74%72%70%5f0a1b2c3d_%53%53%53") == "label=trp_0a1b2c3d_…");
  CHECK(without_secrets("50%25 of %zz, trp%5Fab and t%72") == "50%25 of %zz, trp%5Fab and t%72");
  CHECK(without_secrets("trp_0a1b2c3d_") == "trp_0a1b2c3d_");
  CHECK(without_secrets("%") == "%");
  CHECK(without_secrets("").empty());
}
