// Messages with a length in front, read with `expect` and `read_frame`, over a unix socket.
#include <array>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <random>
#include <string>

#include "tcp/tcp.h"

using namespace async;
using namespace std::chrono_literals;

static constexpr std::size_t most = 1024;  // a message: what a stranger claims is not believed

static void write_message(const Writer& writer, std::string_view message) {
  const auto size = static_cast<std::uint16_t>(message.size());
  const std::array<char, 2> header{static_cast<char>(size >> 8), static_cast<char>(size)};
  const std::array<std::string_view, 2> parts{{{header.data(), header.size()}, message}};
  writer.writev(parts);  // one write, so that they leave together
}

static Deferred<Read_result<std::string>> read_message(Reader reader) {
  reader.expect(2);
  const auto header = co_await reader.read_frame();
  if (!header) co_return std::unexpected(header.error());
  const auto high = static_cast<unsigned char>((*header)[0]);
  const auto low = static_cast<unsigned char>((*header)[1]);
  const std::size_t size = high * 256U + low;
  if (size == 0) co_return std::string();
  reader.expect(size, most);  // throws Limit_exceeded, which ends this connection alone
  const auto body = co_await reader.read_frame();
  if (!body) co_return std::unexpected(body.error());
  co_return std::string(*body);
}

static Deferred<> serve(Address::Unix, Reader reader, Writer writer) {
  while (auto message = co_await read_message(reader)) {
    write_message(writer, std::string(message->rbegin(), message->rend()));
    co_await writer.pushed_back();  // one who does not read is not written to without end
  }
}

static Deferred<int> run() {
  const std::string path =
      std::filesystem::temp_directory_path() / ("framed." + std::to_string(std::random_device()()));
  auto server = co_await Tcp::Server::create(Tcp::on_file(path), serve);
  co_await Tcp::with_connection(Tcp::to_file(path),
                                [](auto, Reader reader, Writer writer) -> Deferred<> {
                                  for (const char* word : {"stressed", "", "desserts"})
                                    write_message(writer, word);
                                  // Nothing more will come from here; the answers still do.
                                  writer.shutdown_send();
                                  while (auto answer = co_await read_message(reader)) {
                                    std::printf("\"%s\"\n", answer->c_str());
                                  }
                                });
  bool was_cut = false;
  co_await Tcp::with_connection(Tcp::to_file(path),
                                [&](auto, Reader reader, Writer writer) -> Deferred<> {
                                  writer.write("\xff\xff a claim of 65,535 bytes");
                                  was_cut = !co_await reader.read();
                                });
  std::printf("%s\n", was_cut ? "who claims too much is cut off" : "it was believed");
  co_await server.close();
  co_return 0;
}

int main() { return Scheduler::go_main(run); }
