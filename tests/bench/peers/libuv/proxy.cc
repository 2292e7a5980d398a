// Passes every connection on to another server, on libuv.  proxy LISTEN_PORT PORT
#include <uv.h>

#include <array>
#include <cstdlib>
#include <string>
#include <string_view>

#include "tests/bench/peers/libuv/listen.h"

static char buffer[64 * 1024];
static sockaddr_in to;

class Pair;

/// One of the two ends.
struct End {
  uv_tcp_t tcp;
  Pair* pair;
  bool at_end = false;  // nothing more will be received

  uv_stream_t* stream() { return reinterpret_cast<uv_stream_t*>(&tcp); }
};

struct Write {
  uv_write_t request;
  std::string bytes;
};

class Pair {
 public:
  Pair(uv_loop_t* loop) {
    for (End& end : ends_) {
      uv_tcp_init(loop, &end.tcp);
      end.tcp.data = &end;
      end.pair = this;
    }
  }

  void start(uv_stream_t* listener) {
    uv_accept(listener, client().stream());
    uv_tcp_nodelay(&client().tcp, 1);
    connect_.data = this;
    uv_tcp_connect(&connect_, &server().tcp, reinterpret_cast<const sockaddr*>(&to), on_connected);
  }

 private:
  End& client() { return ends_[0]; }
  End& server() { return ends_[1]; }
  End& other(const End& end) { return &end == &client() ? server() : client(); }

  static void on_connected(uv_connect_t* request, int status) {
    auto* pair = static_cast<Pair*>(request->data);
    if (status != 0) return pair->end();
    uv_tcp_nodelay(&pair->server().tcp, 1);
    for (End& end : pair->ends_) uv_read_start(end.stream(), allocate, on_read);
  }

  static void allocate(uv_handle_t* /*handle*/, std::size_t /*suggested*/, uv_buf_t* result) {
    *result = uv_buf_init(buffer, sizeof buffer);
  }

  static void on_read(uv_stream_t* stream, ssize_t n, const uv_buf_t* bytes) {
    End& from = *static_cast<End*>(stream->data);
    if (n > 0) from.pair->pass_on(from, {bytes->base, static_cast<std::size_t>(n)});
    if (n == UV_EOF) from.pair->reached_end(from);
    if (n < 0 && n != UV_EOF) from.pair->end();
  }

  void pass_on(End& from, std::string_view bytes) {
    End& into = other(from);
    uv_buf_t whole =
        uv_buf_init(const_cast<char*>(bytes.data()), static_cast<unsigned>(bytes.size()));
    const int sent = uv_try_write(into.stream(), &whole, 1);
    if (sent == static_cast<int>(bytes.size())) return;
    if (sent < 0 && sent != UV_EAGAIN) return end();
    if (sent > 0) bytes.remove_prefix(static_cast<std::size_t>(sent));
    uv_read_stop(from.stream());
    auto* write = new Write{.request = {}, .bytes = std::string(bytes)};
    uv_buf_t rest = uv_buf_init(write->bytes.data(), static_cast<unsigned>(write->bytes.size()));
    uv_write(&write->request, into.stream(), &rest, 1, on_written);
  }

  static void on_written(uv_write_t* request, int status) {
    const End& into = *static_cast<End*>(request->handle->data);
    delete reinterpret_cast<Write*>(request);
    if (status != 0) return into.pair->end();
    End& from = into.pair->other(into);
    if (!from.at_end) uv_read_start(from.stream(), allocate, on_read);
  }

  void reached_end(End& from) {
    from.at_end = true;
    End& into = other(from);
    if (into.at_end) return end();
    auto* request = new uv_shutdown_t;
    uv_shutdown(request, into.stream(), [](uv_shutdown_t* done, int /*status*/) { delete done; });
  }

  void end() {
    for (End& end : ends_) {
      auto* handle = reinterpret_cast<uv_handle_t*>(&end.tcp);
      if (!uv_is_closing(handle)) uv_close(handle, on_closed);
    }
  }
  static void on_closed(uv_handle_t* handle) {
    Pair* pair = static_cast<End*>(handle->data)->pair;
    if (++pair->num_closed_ == 2) delete pair;
  }

  std::array<End, 2> ends_;
  uv_connect_t connect_;
  int num_closed_ = 0;
};

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  uv_ip4_addr("127.0.0.1", std::atoi(argv[2]), &to);
  return serve(std::atoi(argv[1]), [](uv_stream_t* listener, int status) {
    if (status == 0) (new Pair(listener->loop))->start(listener);
  });
}
