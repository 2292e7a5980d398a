// BoringSSL by hand on libuv, as libuv is meant to be used.  tls_server PORT MODE CERTIFICATE KEY
#include <uv.h>

#include <cstdlib>
#include <string>
#include <string_view>
#include <utility>

#include "tests/bench/peers/boringssl/connection.h"
#include "tests/bench/peers/boringssl/modes.h"
#include "tests/bench/peers/libuv/listen.h"

static char buffer[64 * 1024];

class Connection : public boringssl_peer::Connection {
 public:
  Connection(uv_stream_t* listener, SSL_CTX* context) : boringssl_peer::Connection(context) {
    uv_tcp_init(listener->loop, &tcp_);
    tcp_.data = this;
    uv_accept(listener, stream());
    uv_tcp_nodelay(&tcp_, 1);
    start_reading();
  }

 protected:
  bool waits_to_send() const override { return waits_; }

 private:
  uv_stream_t* stream() { return reinterpret_cast<uv_stream_t*>(&tcp_); }
  void start_reading() { uv_read_start(stream(), allocate, on_read); }

  static void allocate(uv_handle_t* /*handle*/, std::size_t /*suggested*/, uv_buf_t* result) {
    *result = uv_buf_init(buffer, sizeof buffer);
  }
  static void on_read(uv_stream_t* stream, ssize_t n, const uv_buf_t* bytes) {
    auto& self = *static_cast<Connection*>(stream->data);
    self.begin();
    if (n > 0) self.came({bytes->base, static_cast<std::size_t>(n)});
    if (n < 0) self.end();
    self.finish();
  }

  void transmit(std::string_view bytes) override {
    if (has_closed_) return;
    if (waits_) {
      rest_ += bytes;
      return;
    }
    uv_buf_t whole =
        uv_buf_init(const_cast<char*>(bytes.data()), static_cast<unsigned>(bytes.size()));
    const int sent = uv_try_write(stream(), &whole, 1);
    if (sent == static_cast<int>(bytes.size())) return;
    if (sent < 0 && sent != UV_EAGAIN) return end();
    if (sent > 0) bytes.remove_prefix(static_cast<std::size_t>(sent));
    waits_ = true;
    uv_read_stop(stream());
    write(std::string(bytes));
  }
  void write(std::string bytes) {
    writing_ = std::move(bytes);
    uv_buf_t all = uv_buf_init(writing_.data(), static_cast<unsigned>(writing_.size()));
    uv_write(&request_, stream(), &all, 1, on_written);
  }
  static void on_written(uv_write_t* request, int status) {
    auto& self = *static_cast<Connection*>(request->handle->data);
    self.begin();
    self.written(status);
    self.finish();
  }
  void written(int status) {
    if (status != 0) return end();
    if (!rest_.empty()) return write(std::exchange(rest_, {}));
    writing_ = {};
    waits_ = false;
    start_reading();
    can_send();
  }

  void close() override {
    has_closed_ = true;
    uv_close(reinterpret_cast<uv_handle_t*>(&tcp_),
             [](uv_handle_t* closed) { delete static_cast<Connection*>(closed->data); });
  }

  uv_tcp_t tcp_;
  uv_write_t request_;
  std::string writing_;
  std::string rest_;  // what is to be written after that
  bool waits_ = false;
  bool has_closed_ = false;
};

static std::string_view mode;
static SSL_CTX* context;

int main(int argc, char** argv) {
  if (argc != 5) return 2;
  mode = argv[2];
  context = boringssl_peer::tls_context(argv[3], argv[4]);
  return serve(std::atoi(argv[1]), [](uv_stream_t* listener, int status) {
    if (status == 0) boringssl_peer::make<Connection>(mode, listener, context);
  });
}
