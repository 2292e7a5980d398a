"""The operations of the core, in the order of the table, and what is aimed at: nanoseconds, and times the floor."""

GOALS = {
    'empty cycle': None,
    'map, determined': 12,
    'fill to continuation': 13,
    'link in a chain of 1,000 maps': 9,
    'link in a chain of 1,000 binds': 15,
    'await a ready coroutine': 5,
    'await a filled ivar': None,
    'await an ivar, waiting': None,
    'turn of the queue': 4,
    'job scheduled': None,
    'choose of two, one ready': 25,
    'choose of two, waiting': 35,
    'try_with, ready': 15,
    'try_with, waiting': 40,
    'timer added and aborted': 20,
    'timer aborted a turn later': None,
    'pipe write and read': 15,
    'pipe read, waiting, and write': None,
    'recursive bind, a turn': 14,
    'with_timeout, ready': 10,
    'with_timeout, waiting': 30,
}

TIMES_FLOOR = {
    'map, determined': 1.2,
    'fill to continuation': 1.2,
    'link in a chain of 1,000 maps': 1.5,
}

OURS = 'async_uv'
FLOOR = 'floor'
CXX_PEERS = ('kj', 'Asio callbacks', 'Asio coroutines', 'libuv')
PEERS = CXX_PEERS + ('Tokio', 'Go', 'Lwt', 'Node.js')
