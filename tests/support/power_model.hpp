#pragma once

#include "tests/support/fault_log.hpp"
#include "tests/support/power_file.hpp"

#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <sys/stat.h>

namespace troupe::tests {

/// A directory of which is known what is durable: it is told what programs did, from a log, and
/// tells what a power loss at this moment may leave.
///
/// A sync of a file makes its content durable, not its name; a sync of a directory its names, not
/// what they name. Of what is not synced each name, and each page of a file, is new or as before,
/// in any order: more than ext4 or xfs may lose, which keep names in order. What is relied on: a
/// sector is whole, and a rename never leaves a file without a name.
class power_model {
public:
  using path = std::filesystem::path;

  /// What is there now is durable.
  explicit power_model(const path& root) : root_(std::filesystem::canonical(root)) {
    top_ = read(root_);
  }

  /// It is going on, so a power loss may leave a part of it.
  void begin(const fault_record& x) {
    using kind = fault_record::kind;
    switch (x.what) {
    case kind::make:
    case kind::make_directory: return make(x);
    case kind::write: return file_of(x).write(x.at, x.offset, x.size, x.data);
    case kind::resize: return file_of(x).resize(x.at, x.size);
    case kind::map: return file_of(x).map();
    case kind::rename: return rename(x);
    case kind::exchange: return exchange(x);
    case kind::link: return change(x.at, at(x.to), {}, named(at(x.name)));
    case kind::unlink: return unlink(x);
    case kind::sync:
    case kind::told: return;
    }
  }

  /// It has returned.
  void end(const fault_record& x) {
    if (x.what == fault_record::kind::write && x.durable)
      file_of(x).settle_last();
    if (x.what == fault_record::kind::sync && x.inode == 0)
      for (auto& [inode, file] : known_)
        file->sync(x.covers);
    else if (x.what == fault_record::kind::sync)
      if (auto found = known_.find(x.inode); found != known_.end())
        found->second->sync(x.covers);
  }

  /// Writes to `target`, which is made, what a power loss may leave.
  void leave(const path& target, fate how, std::mt19937_64& random) const {
    survivors made{how, random, {}, {}};
    leave(*top_, target, made);
  }

  /// Where the files are not as the log tells; empty unless it has a gap.
  std::string differs() const { return differs(*top_, root_); }

private:
  struct node;
  using node_ptr = std::shared_ptr<node>;
  using names = std::map<std::string, node_ptr>;

  /// A rename from one directory to another: it may leave both names, but not none.
  struct move {
    bool durable = false; ///< The new name is.
  };

  struct name_change {
    std::uint64_t at;
    std::string gone, made; ///< Names in the directory, one or both.
    node_ptr file;          ///< That is made.
    std::shared_ptr<move> moved;
    bool synced = false;
    node_ptr back{}; ///< Of an exchange: what `gone` is then.

    void apply(names& to) const {
      if (back)
        to[gone] = back;
      else if (!gone.empty())
        to.erase(gone);
      if (!made.empty())
        to[made] = file;
    }
  };

  struct node {
    bool directory = false;
    power_file content;
    names now, durable;
    std::vector<name_change> changes; ///< Of names.

    void sync(std::uint64_t covers) {
      content.sync(covers);
      std::erase_if(changes, [&](auto& x) {
        if (x.at >= covers)
          return false;
        x.synced = true;
        if (x.moved && !x.made.empty())
          x.moved->durable = true;
        if (x.moved && !x.moved->durable)
          return false;
        x.apply(durable);
        return true;
      });
    }
  };

  /// What one power loss chooses.
  struct survivors {
    fate how;
    std::mt19937_64& random;
    std::map<const move*, bool> moved;
    std::map<const node*, path> files;

    bool lucky() { return how == fate::all || (how == fate::chosen && random() % 2 == 0); }

    bool keeps(const name_change& x) {
      if (!x.moved)
        return lucky();
      bool arrived = x.moved->durable || moved.try_emplace(x.moved.get(), lucky()).first->second;
      return arrived && (!x.made.empty() || x.synced || lucky());
    }
  };

  struct place {
    node_ptr in;
    std::string name;
  };

  place at(const path& whole) const {
    auto below = whole.lexically_normal().lexically_relative(root_);
    auto in = top_;
    for (auto& part : below.parent_path())
      in = in->now.at(part.string());
    return {in, below.filename().string()};
  }

  static node_ptr named(const place& x) { return x.in->now.at(x.name); }

  /// One that was unlinked before all this may still be written to.
  power_file& file_of(const fault_record& x) {
    auto& found = known_[x.inode];
    if (!found)
      found = std::make_shared<node>();
    return found->content;
  }

  void change(std::uint64_t when, const place& where, const std::string& gone, const node_ptr& file,
              const std::shared_ptr<move>& moved = {}) {
    name_change x{when, gone, file ? where.name : std::string{}, file, moved};
    x.apply(where.in->now);
    where.in->changes.push_back(std::move(x));
  }

  void make(const fault_record& x) {
    auto made = std::make_shared<node>();
    made->directory = x.what == fault_record::kind::make_directory;
    known_[x.inode] = made;
    change(x.at, at(x.name), {}, made);
  }

  void unlink(const fault_record& x) {
    auto from = at(x.name);
    change(x.at, from, from.name, nullptr);
  }

  void rename(const fault_record& x) {
    auto from = at(x.name), to = at(x.to);
    auto file = named(from);
    if (from.in == to.in)
      return change(x.at, to, from.name, file);
    auto moved = std::make_shared<move>();
    change(x.at, to, {}, file, moved);
    change(x.at, from, from.name, nullptr, moved);
  }

  void exchange(const fault_record& x) {
    auto one = at(x.name), other = at(x.to);
    name_change both{x.at, one.name, other.name, named(one), {}};
    both.back = named(other);
    both.apply(one.in->now);
    one.in->changes.push_back(std::move(both));
  }

  static std::string content_of(const path& name) {
    std::string content(std::filesystem::file_size(name), '\0');
    std::ifstream{name, std::ios::binary}.read(content.data(),
                                               static_cast<std::streamsize>(content.size()));
    return content;
  }

  node_ptr read(const path& name) {
    auto found = std::make_shared<node>();
    struct stat about {};
    ::lstat(name.c_str(), &about);
    known_[about.st_ino] = found;
    found->directory = S_ISDIR(about.st_mode);
    if (!found->directory)
      found->content = power_file{content_of(name)};
    else
      for (auto& x : std::filesystem::directory_iterator{name})
        found->now[x.path().filename().string()] = read(x.path());
    found->durable = found->now;
    return found;
  }

  static void leave(const node& x, const path& target, survivors& made) {
    if (auto [found, fresh] = made.files.try_emplace(&x, target); !fresh && !x.directory)
      return std::filesystem::create_hard_link(found->second, target);
    if (!x.directory) {
      std::ofstream{target, std::ios::binary} << x.content.left(made.how, made.random);
      return;
    }
    std::filesystem::create_directory(target);
    auto kept = x.durable;
    for (auto& change : x.changes)
      if (made.keeps(change))
        change.apply(kept);
    for (auto& [name, file] : kept)
      leave(*file, target / name, made);
  }

  static std::string differs(const node& x, const path& real) {
    if (!x.directory)
      return x.content.mapped() || x.content.now() == content_of(real) ? "" : real.string() + "; ";
    std::string all;
    names left = x.now;
    for (auto& entry : std::filesystem::directory_iterator{real}) {
      auto found = left.extract(entry.path().filename().string());
      all += found.empty() ? entry.path().string() + " is unknown; "
                           : differs(*found.mapped(), entry.path());
    }
    for (auto& [name, file] : left)
      all += (real / name).string() + " is gone; ";
    return all;
  }

  path root_;
  std::map<std::uint64_t, node_ptr> known_;
  node_ptr top_;
};

} // namespace troupe::tests
