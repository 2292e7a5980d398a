"""Who is measured: ours and its peers, by the role that they play."""

import contextlib
import dataclasses
import os
import pathlib
import shutil
import subprocess

PEERS = pathlib.Path(__file__).resolve().parent.parent / 'peers'


@dataclasses.dataclass(frozen=True)
class Server:
    name: str  # as tables show it
    # What starts it: {programs}, {examples} and {peers} are folders, {port}, {backend_port}, {mode},
    # {certificate} and {key} are what they say, and {file} is a copy of `template` with @PORT@ and so on filled in.
    command: str
    template: str = ''
    needs_certificate: bool = False
    loads: tuple = ()  # that it can be under, if that is not all

    def program(self, places):
        return self.command.split()[0].format(**places)

    def is_there(self, places):
        return shutil.which(self.program(places)) is not None

    def can_be_under(self, load):
        return not self.loads or load in self.loads


OURS = 'async_uv'
AGAIN = 'async_uv again'  # the same once more: what differs between the two is noise
EPOLL = 'raw epoll'
LIBUV = 'raw libuv'
BUFFERED = 'raw epoll, memory buffers'  # BoringSSL as most programs use it
RAW = (EPOLL, LIBUV, BUFFERED)

_RAW = [
    Server(EPOLL, '{programs}/epoll {port} {mode}'),
    Server(LIBUV, '{programs}/libuv {port} {mode}'),
]
_ASIO = [
    Server('Asio callbacks', '{programs}/asio_callbacks {port} {mode}'),
    Server('Asio coroutines', '{programs}/asio_coroutines {port} {mode}'),
]
_KJ = [Server('kj', '{programs}/kj {port} {mode}')]
_LIBEVENT = [Server('libevent', '{programs}/libevent {port} {mode}')]
_RUNTIMES = [
    Server('Tokio', '{programs}/tokio {port} {mode}'),
    Server('Go', '{programs}/go {port} {mode}'),
    Server('Lwt', '{programs}/lwt {port} {mode}'),
]
_NODE = [Server('Node.js', 'node {peers}/node/server.js {port} {mode}')]


def _twice(command, **more):
    return [Server(OURS, command, **more), Server(AGAIN, command, **more)]


def _tls(name, program):
    return Server(name, program + ' {port} {mode} {certificate} {key}', needs_certificate=True)


ROLES = {
    'echo': _twice('{examples}/echo_server {port}') + _RAW + _ASIO + _KJ + _LIBEVENT + _RUNTIMES + _NODE,
    # kj has no reader of lines.
    'line': _twice('{programs}/line_server {port} batch') + [
        Server('async_uv (flushed each)', '{programs}/line_server {port} each'),
    ] + _RAW + _ASIO + _LIBEVENT + _RUNTIMES + _NODE,
    'many': _twice('{programs}/big_echo_server {port}') + _RAW + _ASIO + _KJ + _LIBEVENT + _RUNTIMES + _NODE,
    # Those of which one can say how much they read at once.
    'reads': _twice('{programs}/big_echo_server {port}') + _RAW + _ASIO + _KJ + _RUNTIMES,
    'bulk': [
        Server(OURS, '{programs}/bulk_server {port} {mode} copying'),
        Server('async_uv (schedule)', '{programs}/bulk_server {port} {mode} sharing'),
    ] + _RAW + _ASIO + _KJ + _LIBEVENT + _RUNTIMES + _NODE,
    'proxy': _twice('{examples}/tcp_proxy {port} 127.0.0.1 {backend_port}') + [
        Server(EPOLL, '{programs}/epoll_proxy {port} {backend_port}'),
        Server(LIBUV, '{programs}/libuv_proxy {port} {backend_port}'),
        Server('HAProxy', 'haproxy -db -q -f {file}', template='haproxy/haproxy.cfg'),
        Server('nginx', 'nginx -c {file}', template='nginx/nginx.conf'),
    ],
    'tls': _twice('{programs}/tls_server {port} {mode} {certificate} {key}', needs_certificate=True) + [
        _tls(EPOLL, '{programs}/epoll_tls'),
        _tls(BUFFERED, '{programs}/epoll_tls_memory'),
        _tls(LIBUV, '{programs}/libuv_tls'),
        _tls('Asio', '{programs}/asio_tls'),
        _tls('Go', '{programs}/go'),
        _tls('Node.js', 'node {peers}/node/server.js'),
        Server('nginx', 'nginx -c {file}', template='nginx/tls.conf', needs_certificate=True,
               loads=('handshake', 'resume')),
    ],
}


def is_ours(name):
    return name.startswith(OURS)


# Where the BoringSSL comes from that everything was built with, if it is not Debian's.
BORINGSSL_SOURCE_DIR = os.environ.get('BORINGSSL_SOURCE_DIR')

_BORINGSSL = 'android-libboringssl-dev'
_PACKAGES = ('libuv1-dev', _BORINGSSL, 'libasio-dev', 'libcapnp-dev', 'libevent-dev', 'librust-tokio-dev', 'golang-go',
             'liblwt-ocaml-dev', 'nodejs', 'haproxy', 'nginx')


def versions():
    """Package and version of each peer, as far as Debian knows."""
    result = []
    for package in _PACKAGES:
        if package == _BORINGSSL and BORINGSSL_SOURCE_DIR:
            result.append('BoringSSL from its source')
            continue
        with contextlib.suppress(OSError):
            query = subprocess.run(['dpkg-query', '-W', '-f', '${Version}', package], capture_output=True,
                                   text=True)
            if query.returncode == 0 and query.stdout:
                result.append(f'{package} {query.stdout}')
    return result
