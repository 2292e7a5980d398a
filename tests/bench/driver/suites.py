"""What is measured: suites of cells, each of which is one load on servers of one role."""

import dataclasses

import machine

# As many as wanted, or as one process may have here.
_MOST_CONNECTIONS = min(30000, (machine.allow_descriptors(65536) - 200) // 1000 * 1000)


@dataclasses.dataclass(frozen=True)
class Cell:
    config: str  # as tables show it
    load: str  # the load's mode
    options: dict  # its options
    server_mode: str = 'echo'
    environment: dict = dataclasses.field(default_factory=dict)
    program: str = 'load'  # which is the load
    backend: bool = False  # the load is also the server behind a proxy
    connections: int = 1
    figure: str = ''  # the primary one, if it is another than the suite's
    unit: str = ''
    smoke: bool = False  # part of the smoke test
    short: bool = True  # part of the short form


@dataclasses.dataclass(frozen=True)
class Suite:
    name: str
    title: str
    role: str  # see servers.ROLES
    figure: str  # the primary one; lower is better
    unit: str
    cells: list
    columns: tuple = ()  # other figures to show, with their names
    remark: str = ''


_LATENCY = (('rps', 'requests/s'), ('p50_us', 'p50 µs'), ('p99_us', 'p99 µs'))


def _echo(config, connections, size, depth=1, server_mode='echo', **more):
    options = {'connections': connections, 'size': size, 'depth': depth}
    if connections >= 10000:
        options['warm-up'] = 0.6  # until each has been served once
    return Cell(config, 'echo', options, server_mode=server_mode, connections=connections, **more)


def _reads(kib, size_kib, depth):
    return _echo(f'{size_kib} KiB x{depth}, reads of {kib} KiB', 16, size_kib * 1024, depth,
                 environment={'READ_SIZE': str(kib * 1024)}, short=kib == 64,
                 smoke=kib == 64 and size_kib == 16)


def _bulk(config, mode, **more):
    return Cell(config, mode, {'bytes': 'BULK'}, server_mode=mode, **more)


def _growth(connections, **more):
    options = {'connections': connections, 'size': 64, 'sources': 9, 'warm-up': 0.6}
    return Cell(f'{connections:,} connections', 'growth', options, connections=connections, **more)


def _tls(config, load, options, server_mode='echo', **more):
    return Cell(config, load, options, server_mode=server_mode, program='tls_load', **more)


def _tls_handshake(config, load):
    return _tls(config, load, {'connections': 16, 'count': 'HANDSHAKES'}, connections=16, figure='cpu_us',
                unit='µs a connection', smoke=True)


def _tls_echo(config, connections, size, **more):
    return _tls(config, 'echo', {'connections': connections, 'size': size}, connections=connections, **more)


def _tls_bulk(config, mode, **more):
    return _tls(config, mode, {'bytes': 'BULK'}, server_mode=mode, figure='cpu_s_per_gb', unit='s/GB', smoke=True, **more)


def _tls_idle(connections, **more):
    return _tls(f'{connections:,} idle connections', 'growth', {'connections': connections, 'size': 64},
                connections=connections, figure='used_bytes', unit='bytes a connection', **more)


CORE = 'core'  # is no load on a server: core.py measures it

SUITES = [
    Suite('echo', 'Echo', 'echo', 'cpu_us', 'µs a request', [
        _echo('c1 64 B', 1, 64, smoke=True),
        _echo('c64 64 B', 64, 64),
        _echo('c64 64 B x16', 64, 64, 16, smoke=True),
        _echo('c1000 64 B', 1000, 64),
        _echo('c10000 64 B', 10000, 64),
        _echo('c64 16 KiB', 64, 16384),
        _echo('c64 16 KiB x16', 64, 16384, 16),
    ], _LATENCY, 'The server gives back what arrives. c64 is 64 connections, x16 is 16 requests under way on '
                 'each. Ours is `examples/echo_server`.'),
    Suite('line', 'Lines', 'line', 'cpu_us', 'µs a request', [
        _echo('c64 64 B', 64, 64, server_mode='line', smoke=True),
        _echo('c64 64 B x16', 64, 64, 16, server_mode='line'),
        _echo('c1000 64 B', 1000, 64, server_mode='line'),
    ], _LATENCY, 'The server reads a line, with what its library has for that, and writes it. All wait for their writes '
                 'when they have answered what has arrived; `(flushed each)` does so after each line.'),
    Suite('bulk', 'Bulk', 'bulk', 'cpu_s_per_gb', 's/GB', [
        _bulk('server sends', 'send', smoke=True),
        _bulk('server receives', 'receive', smoke=True),
        _bulk('both at once', 'both', smoke=True),
    ], (('gb_per_s', 'GB/s'),), 'One connection. Those who send write 64 KiB at a time: `async_uv` copies them '
                                '(`write`), `async_uv (schedule)` does not.'),
    Suite('reads', 'Large pipelined messages, with equal reads', 'reads', 'cpu_s_per_gb', 's/GB', [
        _reads(16, 16, 16),
        _reads(64, 16, 16),
        _reads(256, 16, 16),
        _reads(64, 256, 4),
    ], (('gb_per_s', 'GB/s'), ('p99_us', 'p99 µs')),
          'Echo on 16 connections. How much a server reads at once decides this, so here all read the same.'),
    Suite('proxy', 'Proxies', 'proxy', 'cpu_us', 'µs a request', [
        _echo('c64 64 B', 64, 64, backend=True, smoke=True),
        _echo('c64 16 KiB', 64, 16384, backend=True),
        Cell('bulk', 'send', {'bytes': 'BULK'}, backend=True, figure='cpu_s_per_gb', unit='s/GB', smoke=True),
    ], _LATENCY + (('gb_per_s', 'GB/s'),),
          'The load is client and backend. Ours is `examples/tcp_proxy`. HAProxy and nginx are told to read 64 KiB '
          'at once, as ours does.'),
    Suite('churn', 'Connections', 'echo', 'cpu_us', 'µs a connection', [
        Cell('connect, request, close', 'churn', {'connections': 16, 'size': 64, 'count': 'CHURN'},
             connections=16, smoke=True),
    ], _LATENCY, '16 at a time.'),
    Suite('growth', 'Growth', 'many', 'cpu_us', 'µs a request', [
        _growth(1000, smoke=True),
        _growth(10000),
        _growth(_MOST_CONNECTIONS, short=False),
    ], (('idle_bytes', 'bytes/connection, new'), ('used_bytes', 'after a request'),
        ('busy_bytes', 'after many'), ('p99_us', 'p99 µs')),
          'Resident bytes a connection: of connections that have done nothing yet, of those that are idle after one '
          'request, and after echoing 64 B for a while, which is what the time is of.'),
    Suite('tls', 'TLS', 'tls', 'cpu_us', 'µs a request', [
        _tls_handshake('full handshake', 'handshake'),
        _tls_handshake('resumed handshake', 'resume'),
        _tls_echo('c1 64 B', 1, 64, short=False),
        _tls_echo('c64 64 B', 64, 64, smoke=True),
        _tls_echo('c64 16 KiB', 64, 16384),
        _tls_bulk('server sends', 'send'),
        _tls_bulk('server receives', 'receive', short=False),
        _tls_idle(1000, smoke=True),
        _tls_idle(4000, short=False),
    ], _LATENCY + (('gb_per_s', 'GB/s'), ('idle_bytes', 'bytes, new'), ('busy_bytes', 'bytes, after many')),
          'TLS 1.3 with AES-128-GCM, X25519 and ECDSA on P-256. `raw epoll` is BoringSSL by hand, '
          'with memory buffers the usual way. A handshake is connect, handshake, and both say that they end. '
          'Idle connections are idle after one request.'),
]


@dataclasses.dataclass(frozen=True)
class Form:
    """How long it all takes."""
    rounds: int
    seconds: float
    warm_up: float
    bulk_bytes: int
    churn_count: int
    handshake_count: int
    budget: float  # seconds after which nothing more is begun
    tries: int  # of a cell that something else disturbs
    patience: float  # seconds to wait for others to be quiet
    core_rounds: int  # of the suite `core`; 0: one, of ours alone
    core_seconds: float  # for one operation of it, five times
    slices: int = 0  # of each round, in which all servers run at once; 0: each is fresh, and alone


FORMS = {
    'smoke': Form(1, 0.1, 0.05, 128 << 20, 500, 100, 60, 1, 0, 0, 0.001),
    'short': Form(3, 0.25, 0.1, 512 << 20, 3000, 1000, 240, 2, 0.5, 1, 0.02),
    'long': Form(7, 0.7, 0.3, 2 << 30, 10000, 5000, 7200, 4, 3, 5, 0.03),
    'steady': Form(5, 0.12, 0.03, 128 << 20, 1000, 400, 7200, 1, 0, 1, 0.03, slices=15),
}


def cells(suite, form_name):
    if form_name == 'smoke':
        return [cell for cell in suite.cells if cell.smoke]
    if form_name == 'steady':  # memory of servers that have been used before says nothing
        return [cell for cell in suite.cells if cell.load != 'growth']
    return [cell for cell in suite.cells if cell.short or form_name == 'long']
