// Asio with callbacks.  callbacks PORT MODE
#include <asio.hpp>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

using asio::ip::tcp;

static std::uint64_t number(const char* name, std::uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text != nullptr ? std::strtoull(text, nullptr, 10) : otherwise;
}

static const std::size_t read_size = number("READ_SIZE", 16 * 1024);
static const std::uint64_t bulk_bytes = number("BULK_BYTES", 1 << 30);

class Echo : public std::enable_shared_from_this<Echo> {
 public:
  explicit Echo(tcp::socket socket) : socket_(std::move(socket)) {}

  void start() {
    socket_.async_read_some(asio::buffer(buffer_.get(), read_size),
                            [self = shared_from_this()](std::error_code error, std::size_t n) {
                              if (!error) self->write(n);
                            });
  }

 private:
  void write(std::size_t n) {
    asio::async_write(socket_, asio::buffer(buffer_.get(), n),
                      [self = shared_from_this()](std::error_code error, std::size_t) {
                        if (!error) self->start();
                      });
  }

  tcp::socket socket_;
  std::unique_ptr<char[]> buffer_{new char[read_size]};
};

/// Answers each line with itself, and all lines that have arrived at once.
class Lines : public std::enable_shared_from_this<Lines> {
 public:
  explicit Lines(tcp::socket socket) : socket_(std::move(socket)) {}

  void start() {
    asio::async_read_until(socket_, asio::dynamic_buffer(input_), '\n',
                           [self = shared_from_this()](std::error_code error, std::size_t end) {
                             if (!error) self->answer(end);
                           });
  }

 private:
  void answer(std::size_t end) {
    output_.clear();
    std::size_t begin = 0;
    do {
      output_.append(input_, begin, end - begin);
      begin = end;
      end = input_.find('\n', begin) + 1;
    } while (end != 0);
    input_.erase(0, begin);
    asio::async_write(socket_, asio::buffer(output_),
                      [self = shared_from_this()](std::error_code error, std::size_t) {
                        if (!error) self->start();
                      });
  }

  tcp::socket socket_;
  std::string input_;
  std::string output_;
};

/// Sends much, receives much, or both.
class Bulk : public std::enable_shared_from_this<Bulk> {
 public:
  Bulk(tcp::socket socket, bool sends, bool receives)
      : socket_(std::move(socket)),
        left_(sends ? bulk_bytes : 0),
        sends_(sends),
        receives_(receives) {}

  void start() {
    if (sends_) send();
    if (receives_) receive();
  }

 private:
  void send() {
    static const std::string block(64 * 1024, 'x');
    if (left_ == 0) return;
    asio::async_write(socket_, asio::buffer(block, left_),
                      [self = shared_from_this()](std::error_code error, std::size_t n) {
                        self->left_ -= n;
                        if (!error) self->send();
                      });
  }

  void receive() {
    socket_.async_read_some(asio::buffer(buffer_.get(), buffer_size),
                            [self = shared_from_this()](std::error_code error, std::size_t n) {
                              self->received_ += n;
                              if (!error) {
                                self->receive();
                              } else if (!self->sends_) {
                                self->answer();
                              }
                            });
  }

  void answer() {
    answer_ = std::to_string(received_) + "\n";
    asio::async_write(socket_, asio::buffer(answer_),
                      [self = shared_from_this()](std::error_code, std::size_t) {});
  }

  static constexpr std::size_t buffer_size = 64 * 1024;

  tcp::socket socket_;
  std::uint64_t left_;
  std::uint64_t received_ = 0;
  bool sends_;
  bool receives_;
  std::unique_ptr<char[]> buffer_{new char[buffer_size]};
  std::string answer_;
};

static void accept(tcp::acceptor& acceptor, std::string_view mode) {
  acceptor.async_accept([&acceptor, mode](std::error_code error, tcp::socket socket) {
    if (!error) {
      socket.set_option(tcp::no_delay(true));
      if (mode == "echo") {
        std::make_shared<Echo>(std::move(socket))->start();
      } else if (mode == "line") {
        std::make_shared<Lines>(std::move(socket))->start();
      } else {
        std::make_shared<Bulk>(std::move(socket), mode != "receive", mode != "send")->start();
      }
    }
    accept(acceptor, mode);
  });
}

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  asio::io_context context(1);  // one thread, so that it need not lock
  const auto port = static_cast<unsigned short>(std::atoi(argv[1]));
  tcp::acceptor acceptor(context, {asio::ip::address_v4::loopback(), port});
  accept(acceptor, argv[2]);
  context.run();
}
