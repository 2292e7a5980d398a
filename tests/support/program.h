// tests/support/program.h: programs by others, as processes of their own.

#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>
#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "async/async.h"
#include "tcp/of_fd.h"

namespace async {

/// A program that runs, found as a shell finds it.  It ends with this, and with it whatever it has
/// started.  When the test has failed, all that it has said is printed.
class Program {
 public:
  struct Options {
    /// What it has as its descriptor 3.
    std::optional<int> descriptor_3 = std::nullopt;
    /// Further variables, such as "NAME=value".
    std::vector<std::string> environment = {};
  };

  explicit Program(std::vector<std::string> command) : Program(std::move(command), {}) {}
  Program(std::vector<std::string> command, Options options) : command_(std::move(command)) {
    // A pair of sockets, because those are what this library reads and writes.
    std::array<int, 2> ends{};
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0) {
      throw std::runtime_error("socketpair failed");
    }
    const int error = start(ends[1], options);
    ::close(ends[1]);
    if (error != 0) {
      ::close(ends[0]);
      throw std::runtime_error("cannot run " + command_.front() + ": " + std::strerror(error));
    }
    const auto connected = Tcp::of_fd<Address::Unix>(ends[0]);
    writer_ = connected.writer;
    writer_->set_raise_when_consumer_leaves(false);
    dont_wait_for(collect(connected.reader, said_));
  }
  Program(Program&& other) noexcept
      : command_(std::move(other.command_)),
        pid_(std::exchange(other.pid_, 0)),
        writer_(std::move(other.writer_)),
        said_(std::move(other.said_)),
        heard_(other.heard_) {}
  Program& operator=(Program&&) = delete;
  ~Program() {
    if (pid_ > 0) {
      kill(SIGKILL);
      wait();
    }
    if (said_ && ::testing::Test::HasFailure()) {
      std::string line;
      for (const std::string& word : command_) line += word + " ";
      GTEST_LOG_(INFO) << line << "has said:\n" << said_->text;
    }
  }

  /// `say(bytes)` sends it what it reads from its standard input, and `end_input()` ends that.
  void say(std::string_view bytes) const { writer_->write(bytes); }
  void end_input() const { writer_->shutdown_send(); }
  /// `flushed()` is determined when all of that is there for it to read.
  Deferred<> flushed() const {
    return writer_->flushed().map([](Flush_result) {});
  }

  /// `output()` is all that it has said so far, on its standard output and error.
  const std::string& output() const noexcept { return said_->text; }

  /// `says(text)` is determined when it has said `text`, after what the last such call has waited
  /// for.  It fails if it ends before.
  Deferred<> says(std::string text) {
    for (;;) {
      const std::size_t found = said_->text.find(text, heard_);
      if (found != std::string::npos) {
        heard_ = found + text.size();
        co_return;
      }
      if (said_->is_all) throw std::runtime_error(command_.front() + " has not said: " + text);
      co_await said_->more.read();
    }
  }

  /// `ended()` waits for its end, and is the status that it exited with; or -1 - the signal that
  /// ended it.
  Deferred<int> ended() {
    while (!said_->is_all) co_await said_->more.read();
    // What has closed its output is ending, so this is short.
    co_return wait();
  }

  void kill(int signal = SIGKILL) const { ::kill(-pid_, signal); }

  /// `listens_on()` is the port on which it listens: that of its first such socket.
  int listens_on() const {
    const std::string process = "/proc/" + std::to_string(pid_);
    std::vector<std::string> inodes;
    for (const auto& one : std::filesystem::directory_iterator(process + "/fd")) {
      std::error_code error;  // of a descriptor that is closed by now
      const std::string what = std::filesystem::read_symlink(one.path(), error).string();
      if (what.starts_with("socket:[")) inodes.push_back(what.substr(8, what.size() - 9));
    }
    for (const char* const table : {"/net/tcp", "/net/tcp6"}) {
      std::ifstream lines(process + table);
      std::string line;
      while (std::getline(lines, line)) {
        std::istringstream fields(line);
        std::string number, local, remote, state, queues, timer, retransmits, user, timeout, inode;
        fields >> number >> local >> remote >> state >> queues >> timer >> retransmits >> user >>
            timeout >> inode;
        if (state != "0A" || std::ranges::find(inodes, inode) == inodes.end()) continue;
        return std::stoi(local.substr(local.find(':') + 1), nullptr, 16);
      }
    }
    throw std::runtime_error(command_.front() + " does not listen");
  }

 private:
  struct Said {
    std::string text;
    bool is_all = false;
    Ivar<> more;
  };

  static Deferred<> collect(Reader reader, std::shared_ptr<Said> said) {
    for (;;) {
      const auto chunk = co_await or_error(reader.read_chunk());
      if (chunk && *chunk) said->text += **chunk;
      said->is_all = !chunk || !*chunk;
      std::exchange(said->more, Ivar<>()).fill();
      if (said->is_all) co_return;
    }
  }

  /// `start(end, options)` starts it, with `end` as its standard input, output and error.
  int start(int end, const Options& options) {
    posix_spawn_file_actions_t descriptors;
    posix_spawn_file_actions_init(&descriptors);
    for (const int fd : {0, 1, 2}) posix_spawn_file_actions_adddup2(&descriptors, end, fd);
    if (options.descriptor_3) {
      posix_spawn_file_actions_adddup2(&descriptors, *options.descriptor_3, 3);
    }
    posix_spawnattr_t attributes;
    posix_spawnattr_init(&attributes);
    // A group of its own, to end all of it; and signals as a shell would leave them.
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF);
    posix_spawnattr_setpgroup(&attributes, 0);
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGPIPE);
    posix_spawnattr_setsigdefault(&attributes, &signals);

    // So that it ends even if this process is killed.
    std::vector<std::string> words{"setpriv", "--pdeathsig", "TERM", "--"};
    words.insert(words.end(), command_.begin(), command_.end());
    std::vector<char*> arguments;
    arguments.reserve(words.size() + 1);
    for (std::string& word : words) arguments.push_back(word.data());
    arguments.push_back(nullptr);
    std::vector<std::string> more = options.environment;
    std::vector<char*> environment;
    for (std::string& one : more) environment.push_back(one.data());
    for (char** one = environ; *one; ++one) environment.push_back(*one);
    environment.push_back(nullptr);
    const int error = posix_spawnp(&pid_, arguments.front(), &descriptors, &attributes,
                                   arguments.data(), environment.data());
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&descriptors);
    return error;
  }

  int wait() {
    int status = 0;
    waitpid(std::exchange(pid_, 0), &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1 - WTERMSIG(status);
  }

  std::vector<std::string> command_;
  pid_t pid_ = 0;
  std::optional<Writer> writer_;
  std::shared_ptr<Said> said_ = std::make_shared<Said>();
  std::size_t heard_ = 0;
};

}  // namespace async
