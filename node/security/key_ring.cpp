#include "node/security/key_ring.hpp"

#include <cerrno>
#include <openssl/crypto.h>
#include <sys/stat.h>

namespace troupe::node {

result<std::unique_ptr<key_ring>> key_ring::open(const std::filesystem::path& file,
                                                 std::function<void(const error&)> report) {
  std::unique_ptr<key_ring> made{new key_ring{file, std::move(report)}};
  made->seen_ = mark_of(file);
  if (auto loaded = made->load(); !loaded)
    return loaded.error();
  return made;
}

key_ring::mark key_ring::mark_of(const std::filesystem::path& file) {
  struct stat x {};
  if (::stat(file.c_str(), &x) != 0)
    return errno == ENOENT || errno == ENOTDIR ? mark{}
                                               : mark{~std::uint64_t{}}; // There may be one.
  return {x.st_dev, x.st_ino, std::uint64_t(x.st_size),
          x.st_mtim.tv_sec * 1'000'000'000 + x.st_mtim.tv_nsec};
}

status key_ring::load() {
  auto read = read_keys(file_);
  if (!read)
    return read.error();
  auto fresh = std::make_shared<table>();
  for (auto& x : *read)
    fresh->emplace(x.id, x);
  std::scoped_lock lock{mutex_};
  keys_ = std::move(fresh);
  return {};
}

std::shared_ptr<const key_ring::table> key_ring::keys() const {
  std::scoped_lock lock{mutex_};
  return keys_;
}

bool key_ring::has_keys() const { return !keys()->empty(); }

void key_ring::when_changed(std::function<void()> told) {
  std::scoped_lock lock{loading_};
  changed_ = std::move(told);
}

void key_ring::refresh() { load_if(false); }

void key_ring::refresh_changed() { load_if(true); }

void key_ring::load_if(bool changed) {
  std::scoped_lock lock{loading_};
  auto now = mark_of(file_);
  if (now == seen_ && !changed) {
    is_shut_ = false; // It is what was read.
    return;
  }
  auto loaded = now == mark{} ? status{error{ec::io_failed, file_.string() + " is gone"}} : load();
  is_shut_ = !loaded && now != mark{} && !has_keys();
  if (loaded) {
    seen_ = now;
    reported_.reset();
  } else if (reported_ != now) {
    reported_ = now;
    if (report_)
      report_(told(loaded.error()));
  }
  if (changed_ && (loaded || is_shut_))
    changed_();
}

error key_ring::told(error x) const {
  x.detail += is_shut_ ? "; no keys are known, so every caller is refused until it can be read"
                       : "; the keys that were in it are still valid";
  return x;
}

void key_ring::look(clock::time_point now) {
  auto due = look_at_.load(std::memory_order_relaxed);
  auto next = (now + keys_poll).time_since_epoch().count();
  if (now.time_since_epoch().count() >= due && look_at_.compare_exchange_strong(due, next))
    refresh();
}

std::optional<principal> key_ring::check(std::string_view bearer, bool open_to_all) const {
  auto all = keys();
  if (all->empty() && open_to_all && !is_shut_)
    return principal{{}, "anyone", {}, role::admin};
  auto found = all->find(id_of_key(bearer));
  auto hash =
      storage::sha256({reinterpret_cast<const std::uint8_t*>(bearer.data()), bearer.size()});
  auto expected = found == all->end() ? storage::sha256_digest{} : found->second.hash;
  auto same = CRYPTO_memcmp(hash.data(), expected.data(), hash.size()) == 0;
  if (!same || found == all->end())
    return {};
  auto& key = found->second;
  return principal{key.id, key.name, key.ns, key.role};
}

} // namespace troupe::node
