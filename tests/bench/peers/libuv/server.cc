// libuv as it is meant to be used: one buffer for all connections; writes are tried at once, and
// only what is left waits.  server PORT MODE
#include <uv.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>

#include "tests/bench/peers/libuv/listen.h"

static std::uint64_t number(const char* name, std::uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text != nullptr ? std::strtoull(text, nullptr, 10) : otherwise;
}

static const std::size_t read_size = number("READ_SIZE", 64 * 1024);
static const std::uint64_t bulk_bytes = number("BULK_BYTES", 1 << 30);
static const std::unique_ptr<char[]> buffer(new char[read_size]);

class Connection {
 public:
  virtual ~Connection() = default;

  uv_tcp_t* tcp() { return &tcp_; }
  virtual void start() { start_reading(); }

 protected:
  virtual void received(std::string_view bytes) = 0;
  virtual void at_end() { end(); }
  /// What had to wait has been written.
  virtual void written() { start_reading(); }

  uv_stream_t* stream() { return reinterpret_cast<uv_stream_t*>(&tcp_); }
  void start_reading() { uv_read_start(stream(), allocate, on_read); }

  void end() {
    auto* handle = reinterpret_cast<uv_handle_t*>(&tcp_);
    if (uv_is_closing(handle)) return;
    uv_close(handle, [](uv_handle_t* closed) { delete static_cast<Connection*>(closed->data); });
  }

  /// `put(bytes)` is whether they could all be written at once; a copy of what is left waits.
  bool put(std::string_view bytes) {
    uv_buf_t whole =
        uv_buf_init(const_cast<char*>(bytes.data()), static_cast<unsigned>(bytes.size()));
    const int sent = uv_try_write(stream(), &whole, 1);
    if (sent == static_cast<int>(bytes.size())) return true;
    if (sent < 0 && sent != UV_EAGAIN) {
      end();
      return false;
    }
    if (sent > 0) bytes.remove_prefix(static_cast<std::size_t>(sent));
    auto* write = new Write{.request = {}, .bytes = std::string(bytes)};
    uv_buf_t rest = uv_buf_init(write->bytes.data(), static_cast<unsigned>(write->bytes.size()));
    uv_write(&write->request, stream(), &rest, 1, on_written);
    return false;
  }

 private:
  struct Write {
    uv_write_t request;
    std::string bytes;
  };

  static void allocate(uv_handle_t* /*handle*/, std::size_t /*suggested*/, uv_buf_t* result) {
    *result = uv_buf_init(buffer.get(), static_cast<unsigned>(read_size));
  }
  static void on_read(uv_stream_t* stream, ssize_t n, const uv_buf_t* bytes) {
    auto* connection = static_cast<Connection*>(stream->data);
    if (n > 0) connection->received({bytes->base, static_cast<std::size_t>(n)});
    if (n == UV_EOF) connection->at_end();
    if (n < 0 && n != UV_EOF) connection->end();
  }
  static void on_written(uv_write_t* request, int status) {
    auto* connection = static_cast<Connection*>(request->handle->data);
    delete reinterpret_cast<Write*>(request);
    if (status == 0) {
      connection->written();
    } else {
      connection->end();
    }
  }

  uv_tcp_t tcp_;
};

class Echo final : public Connection {
  void received(std::string_view bytes) override {
    if (!put(bytes)) uv_read_stop(stream());
  }
};

/// Answers each line with itself, and all lines that have arrived at once.
class Lines final : public Connection {
  void received(std::string_view bytes) override {
    static std::string answers;
    answers.clear();
    for (;;) {
      const std::size_t end = bytes.find('\n');
      if (end == std::string_view::npos) break;
      answers += partial_;
      answers += bytes.substr(0, end);
      answers += '\n';
      partial_.clear();
      bytes.remove_prefix(end + 1);
    }
    partial_ += bytes;
    if (!answers.empty() && !put(answers)) uv_read_stop(stream());
  }

  std::string partial_;
};

/// Sends much, receives much, or both.
class Bulk final : public Connection {
 public:
  Bulk(bool sends, bool receives)
      : to_send_(sends ? bulk_bytes : 0), sends_(sends), receives_(receives) {}

  void start() override {
    if (receives_) start_reading();
    if (sends_) send_more();
  }

 private:
  void received(std::string_view bytes) override { received_ += bytes.size(); }
  void at_end() override {
    receives_ = false;
    if (!sends_ && !put(std::to_string(received_) + "\n")) return;
    if (to_send_ == 0 && uv_stream_get_write_queue_size(stream()) == 0) end();
  }
  void written() override { send_more(); }

  void send_more() {
    static const std::string block(64 * 1024, 'x');
    while (to_send_ > 0) {
      const std::size_t n = std::min(to_send_, block.size());
      to_send_ -= n;
      if (!put(std::string_view(block).substr(0, n))) return;
    }
    if (!receives_) end();
  }

  std::uint64_t to_send_;
  std::uint64_t received_ = 0;
  bool sends_;
  bool receives_;
};

static std::string_view mode;

static Connection* make_connection() {
  if (mode == "line") return new Lines;
  const bool sends = mode == "send" || mode == "both";
  const bool receives = mode == "receive" || mode == "both";
  if (sends || receives) return new Bulk(sends, receives);
  return new Echo;
}

static void on_connection(uv_stream_t* listener, int status) {
  if (status != 0) return;
  Connection* connection = make_connection();
  uv_tcp_init(listener->loop, connection->tcp());
  connection->tcp()->data = connection;
  uv_accept(listener, reinterpret_cast<uv_stream_t*>(connection->tcp()));
  uv_tcp_nodelay(connection->tcp(), 1);
  connection->start();
}

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  mode = argv[2];
  return serve(std::atoi(argv[1]), on_connection);
}
