// libevent's bufferevents.  server PORT MODE
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/listener.h>
#include <netinet/in.h>
#include <netinet/tcp.h>

#include <algorithm>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

static const char* bulk_text = std::getenv("BULK_BYTES");
static const std::uint64_t bulk_bytes = bulk_text ? std::strtoull(bulk_text, nullptr, 10) : 1 << 30;
static std::string_view mode;

static void on_end(bufferevent* connection, short events, void* /*unused*/) {
  if ((events & (BEV_EVENT_EOF | BEV_EVENT_ERROR)) != 0) bufferevent_free(connection);
}

static void echo(bufferevent* connection, void* /*unused*/) {
  // Moves the memory rather than the bytes.
  evbuffer_add_buffer(bufferevent_get_output(connection), bufferevent_get_input(connection));
}

static void answer_lines(bufferevent* connection, void* /*unused*/) {
  evbuffer* input = bufferevent_get_input(connection);
  evbuffer* output = bufferevent_get_output(connection);
  std::size_t size;
  while (char* line = evbuffer_readln(input, &size, EVBUFFER_EOL_LF)) {
    evbuffer_add(output, line, size);
    evbuffer_add(output, "\n", 1);
    std::free(line);
  }
}

/// Sends much, receives much, or both.
class Bulk {
 public:
  explicit Bulk(bufferevent* connection)
      : connection_(connection),
        left_(mode != "receive" ? bulk_bytes : 0),
        receives_(mode != "send"),
        answers_(mode == "receive") {
    bufferevent_setcb(connection, on_read, on_written, on_event, this);
    bufferevent_enable(connection, static_cast<short>(receives_ ? EV_READ | EV_WRITE : EV_WRITE));
    if (left_ > 0) send_more();
  }

 private:
  static void on_read(bufferevent* connection, void* self) {
    evbuffer* input = bufferevent_get_input(connection);
    const std::size_t n = evbuffer_get_length(input);
    static_cast<Bulk*>(self)->received_ += n;
    evbuffer_drain(input, n);
  }
  static void on_written(bufferevent* /*connection*/, void* self) {
    static_cast<Bulk*>(self)->send_more();
  }
  static void on_event(bufferevent* connection, short events, void* self) {
    auto* bulk = static_cast<Bulk*>(self);
    if ((events & BEV_EVENT_ERROR) != 0) return bulk->end();
    if ((events & BEV_EVENT_EOF) == 0) return;
    bulk->receives_ = false;
    if (bulk->answers_) {
      const std::string answer = std::to_string(bulk->received_) + "\n";
      bufferevent_write(connection, answer.data(), answer.size());
    } else if (bulk->all_sent()) {
      bulk->end();
    }
  }

  void send_more() {
    static const std::string block(64 * 1024, 'x');
    const std::size_t n = std::min(left_, block.size());
    left_ -= n;
    if (n > 0) bufferevent_write(connection_, block.data(), n);
    if (all_sent() && !receives_) end();
  }

  bool all_sent() const {
    return left_ == 0 && evbuffer_get_length(bufferevent_get_output(connection_)) == 0;
  }

  void end() {
    bufferevent_free(connection_);
    delete this;
  }

  bufferevent* connection_;
  std::uint64_t left_;
  std::uint64_t received_ = 0;
  bool receives_;
  bool answers_;
};

static void on_connection(evconnlistener* listener, evutil_socket_t fd, sockaddr* /*from*/,
                          int /*size*/, void* /*unused*/) {
  const int one = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  bufferevent* connection =
      bufferevent_socket_new(evconnlistener_get_base(listener), fd, BEV_OPT_CLOSE_ON_FREE);
  if (mode != "echo" && mode != "line") {
    new Bulk(connection);  // deletes itself at the end
    return;
  }
  bufferevent_setcb(connection, mode == "line" ? answer_lines : echo, nullptr, on_end, nullptr);
  bufferevent_enable(connection, EV_READ | EV_WRITE);
}

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  mode = argv[2];
  std::signal(SIGPIPE, SIG_IGN);
  event_base* base = event_base_new();
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(std::atoi(argv[1])));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (!evconnlistener_new_bind(base, on_connection, nullptr,
                               LEV_OPT_CLOSE_ON_FREE | LEV_OPT_REUSEABLE, 4096,
                               reinterpret_cast<sockaddr*>(&address), sizeof address)) {
    std::perror("listen");
    return 1;
  }
  event_base_dispatch(base);
}
