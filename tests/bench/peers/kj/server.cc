// kj's promises.  It has no reader of lines.  server PORT MODE
#include <kj/async-io.h>
#include <netinet/in.h>
#include <netinet/tcp.h>

#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>

static std::uint64_t number(const char* name, std::uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text != nullptr ? std::strtoull(text, nullptr, 10) : otherwise;
}

static const std::size_t read_size = number("READ_SIZE", 16 * 1024);
static const std::uint64_t bulk_bytes = number("BULK_BYTES", 1 << 30);

class Echo {
 public:
  explicit Echo(kj::Own<kj::AsyncIoStream> stream) : stream_(kj::mv(stream)) {}

  kj::Promise<void> run() {
    return stream_->tryRead(buffer_.get(), 1, read_size)
        .then([this](std::size_t n) -> kj::Promise<void> {
          if (n == 0) return kj::READY_NOW;
          return stream_->write(buffer_.get(), n).then([this] { return run(); });
        });
  }

 private:
  kj::Own<kj::AsyncIoStream> stream_;
  std::unique_ptr<char[]> buffer_{new char[read_size]};
};

/// Sends much, receives much, or both.
class Bulk {
 public:
  Bulk(kj::Own<kj::AsyncIoStream> stream, std::string_view mode)
      : stream_(kj::mv(stream)), mode_(mode) {}

  kj::Promise<void> run() {
    if (mode_ == "send") return send();
    if (mode_ == "receive") return receive().then([this] { return answer(); });
    return kj::joinPromises(kj::arr(send(), receive()));
  }

 private:
  kj::Promise<void> send() {
    static const std::string block(64 * 1024, 'x');
    if (left_ == 0) return kj::READY_NOW;
    const std::size_t n = kj::min(left_, block.size());
    left_ -= n;
    return stream_->write(block.data(), n).then([this] { return send(); });
  }

  kj::Promise<void> receive() {
    return stream_->tryRead(buffer_.get(), 1, buffer_size)
        .then([this](std::size_t n) -> kj::Promise<void> {
          received_ += n;
          if (n == 0) return kj::READY_NOW;
          return receive();
        });
  }

  kj::Promise<void> answer() {
    answer_ = std::to_string(received_) + "\n";
    return stream_->write(answer_.data(), answer_.size());
  }

  static constexpr std::size_t buffer_size = 64 * 1024;

  kj::Own<kj::AsyncIoStream> stream_;
  std::string_view mode_;
  std::uint64_t left_ = bulk_bytes;
  std::uint64_t received_ = 0;
  std::unique_ptr<char[]> buffer_{new char[buffer_size]};
  std::string answer_;
};

/// The task that `server` is, which it keeps.
template <class Server>
static kj::Promise<void> run(kj::Own<Server> server) {
  Server& running = *server;
  return running.run().attach(kj::mv(server));
}

static kj::Promise<void> accept(kj::ConnectionReceiver& listener, kj::TaskSet& tasks,
                                std::string_view mode) {
  return listener.accept().then([&listener, &tasks, mode](kj::Own<kj::AsyncIoStream> stream) {
    const int one = 1;
    stream->setsockopt(IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    tasks.add(mode == "echo" ? run(kj::heap<Echo>(kj::mv(stream)))
                             : run(kj::heap<Bulk>(kj::mv(stream), mode)));
    return accept(listener, tasks, mode);
  });
}

struct Ignore_errors final : kj::TaskSet::ErrorHandler {
  void taskFailed(kj::Exception&& /*exception*/) override {}
};

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  auto io = kj::setupAsyncIo();
  Ignore_errors ignore_errors;
  kj::TaskSet tasks(ignore_errors);
  auto address = io.provider->getNetwork().parseAddress("127.0.0.1",
                                                        static_cast<unsigned>(std::atoi(argv[1])));
  auto listener = address.wait(io.waitScope)->listen();
  accept(*listener, tasks, argv[2]).wait(io.waitScope);
}
