#include "actors/kinds/lazy_runner.hpp"

#include <mutex>

namespace troupe::actors {

namespace {

class lazy_runner final : public attempt_runner {
public:
  explicit lazy_runner(std::function<std::unique_ptr<attempt_runner>()> make)
      : make_(std::move(make)) {}

  void start(attempt x, report done, log say) override {
    {
      std::scoped_lock lock{mutex_};
      if (!made_)
        made_ = make_();
    }
    made_->start(std::move(x), std::move(done), std::move(say));
  }

  void cancel(core::token proof, core::duration grace) override {
    {
      std::scoped_lock lock{mutex_};
      if (!made_)
        return;
    }
    made_->cancel(proof, grace);
  }

  std::optional<runner_use> use() const override {
    std::scoped_lock lock{mutex_};
    return made_ ? made_->use() : std::nullopt;
  }

private:
  std::function<std::unique_ptr<attempt_runner>()> make_;
  mutable std::mutex mutex_;
  std::unique_ptr<attempt_runner> made_; ///< Once set, it stays.
};

} // namespace

std::shared_ptr<attempt_runner> make_lazy(std::function<std::unique_ptr<attempt_runner>()> make) {
  return std::make_shared<lazy_runner>(std::move(make));
}

} // namespace troupe::actors
