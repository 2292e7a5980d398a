// Everybody hears what anybody says: chat_server [PORT]. Try it with two of: nc localhost PORT
#include <cstdio>
#include <map>
#include <string>

#include "tcp/tcp.h"

using namespace async;
using namespace std::chrono_literals;

class Room {
 public:
  // One guest's stay. Each has a pipe of their own, so a slow one holds up nobody else.
  Deferred<> join(Address::Inet from, Reader reader, Writer writer) {
    const int number = ++last_number_;
    auto [to_hear, to_say] = Pipe::create<std::string>({.size_budget = 100});
    const Deferred<> all_heard = tell(to_hear, writer);
    guests_.emplace(number, to_say);
    const std::string name = "guest " + std::to_string(number);
    say(name + " has come from " + to_string(from), number);
    writer.write_line("welcome, " + name);
    while (auto line = co_await reader.read_line()) say(name + ": " + *line, number);
    guests_.erase(number);
    to_say.close();
    say(name + " has left", number);
    co_await all_heard;
  }

 private:
  void say(const std::string& what, int by) {
    std::printf("%s\n", what.c_str());
    std::fflush(stdout);
    for (auto& [number, guest] : guests_) {
      // Who is a hundred lines behind misses some.
      if (number != by && guest.length() < guest.size_budget()) {
        guest.write_without_pushback_if_open(what);
      }
    }
  }

  static Deferred<> tell(Pipe::Reader<std::string> to_hear, Writer writer) {
    co_await to_hear.iter([writer](std::string line) -> Deferred<> {
      writer.write_line(line);
      co_await writer.flushed();
    });
  }

  int last_number_ = 0;
  std::map<int, Pipe::Writer<std::string>> guests_;
};

static Deferred<int> run(int port) {
  auto room = std::make_shared<Room>();
  auto server =
      co_await Tcp::Server::create(Tcp::on_port(port), {.max_connections = 1000},
                                   [room](Address::Inet from, Reader reader, Writer writer) {
                                     return room->join(from, reader, writer);
                                   });
  std::printf("listening on %d\n", server.listening_on());
  std::fflush(stdout);
  co_await Shutdown::requested();
  co_await server.close({.close_existing_connections = true});
  co_await server.close_finished_and_handlers_determined();
  co_return 0;
}

int main(int argc, char** argv) {
  return Scheduler::go_main([=] { return run(argc > 1 ? std::stoi(argv[1]) : 0); });
}
