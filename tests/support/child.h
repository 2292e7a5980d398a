// tests/support/child.h: a process of its own for what cannot be tried in that of the tests.

#pragma once

#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <ctime>
#include <functional>
#include <stdexcept>
#include <string>
#include <utility>

namespace async {

/// A process that runs a function, beginning with its construction, and ends with the status that
/// the function returns.  The test must not have a scheduler yet.
class Child {
 public:
  /// What the function tells its parent, line by line.
  class Parent {
   public:
    explicit Parent(int fd) : fd_(fd) {}
    void tell(const std::string& line) const { dprintf(fd_, "%s\n", line.c_str()); }

   private:
    int fd_;
  };

  explicit Child(const std::function<int(Parent)>& main) {
    std::array<int, 2> ends{};
    if (pipe(ends.data()) != 0) throw std::runtime_error("pipe failed");
    pid_ = fork();
    if (pid_ < 0) throw std::runtime_error("fork failed");
    if (pid_ == 0) {
      close(ends[0]);
      _exit(main(Parent(ends[1])));
    }
    close(ends[1]);
    told_ = fdopen(ends[0], "r");
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  ~Child() {
    std::fclose(told_);
    if (pid_ > 0) {
      kill(pid_, SIGKILL);
      wait();
    }
  }

  /// `hear()` waits for the next line that it tells; empty if there will be none.
  std::string hear() {
    std::string line;
    for (int c = std::fgetc(told_); c != EOF && c != '\n'; c = std::fgetc(told_)) {
      line.push_back(static_cast<char>(c));
    }
    return line;
  }

  void signal(int number) const { kill(pid_, number); }

  /// `wait()` waits for its end, and is the status that it exited with; or -1 - the signal that
  /// ended it.
  int wait() {
    int status = 0;
    waitpid(std::exchange(pid_, 0), &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1 - WTERMSIG(status);
  }

  /// `cpu_time()` is the time for which it has had a processor.
  std::chrono::nanoseconds cpu_time() const {
    clockid_t clock{};
    timespec time{};
    if (clock_getcpuclockid(pid_, &clock) != 0 || clock_gettime(clock, &time) != 0) {
      throw std::runtime_error("no clock");
    }
    return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
  }

 private:
  pid_t pid_ = 0;
  std::FILE* told_ = nullptr;
};

}  // namespace async
