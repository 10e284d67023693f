#include "actors/kinds/function_runner.hpp"

#include "actors/kinds/function_pool.hpp"

namespace troupe::actors {

function_runner::function_runner(std::shared_ptr<const function_registry> registry,
                                 function_options options)
    : registry_(std::move(registry)), pool_(std::make_shared<function_pool>(options)) {
  pool_->open();
}

function_runner::~function_runner() { pool_->close(); }

void function_runner::start(attempt x, report done, log say) {
  problem wrong;
  if (auto body = find_function(*registry_, x, wrong))
    pool_->add(std::make_shared<function_call>(std::move(body), std::move(x), std::move(done),
                                               std::move(say)));
  else
    done({attempt_end::failed, {}, std::move(wrong)});
}

void function_runner::cancel(core::token proof, core::duration grace) {
  pool_->cancel(proof, grace);
}

std::optional<runner_use> function_runner::use() const { return pool_->use(); }

} // namespace troupe::actors
