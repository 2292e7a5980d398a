"""The machine that is measured on: its processors, limits, ports, and who else is using it."""

import contextlib
import fcntl
import os
import pathlib
import resource
import socket
import sys
import tempfile
import time


def processors():
    """The processor for the server, and the one for the load: the same if there is only one."""
    allowed = sorted(os.sched_getaffinity(0))
    return allowed[0], allowed[-1]


def take_precedence():
    """Before others on this machine, where that is allowed."""
    with contextlib.suppress(OSError):
        pathlib.Path('/proc/self/autogroup').write_text('-20')
    with contextlib.suppress(OSError):
        os.nice(-20)


def allow_descriptors(wanted):
    """Raises the limit of descriptors as far as that is allowed, and gives what it is then."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    for limit in (wanted, hard):
        if soft < limit:
            with contextlib.suppress(ValueError, OSError):
                resource.setrlimit(resource.RLIMIT_NOFILE, (limit, max(limit, hard)))
                break
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0]


@contextlib.contextmanager
def to_itself():
    """One cell at a time on this machine, whoever runs this."""
    with open(os.path.join(tempfile.gettempdir(), 'async_uv_bench.lock'), 'a') as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _busy_seconds():
    ticks = [int(word) for word in pathlib.Path('/proc/stat').read_text().split('\n')[0].split()[1:9]]
    return (sum(ticks[:3]) + sum(ticks[5:7])) / os.sysconf('SC_CLK_TCK')


def wait_until_quiet(patience):
    """Until others use less than a fifth of a processor, but at most `patience` seconds."""
    end = time.monotonic() + patience
    while time.monotonic() < end:
        before = _busy_seconds()
        time.sleep(0.1)
        if _busy_seconds() - before < 0.02:
            return


def free_port():
    """One below those that the system gives to clients, so that no client of ours has it."""
    with open('/proc/sys/net/ipv4/ip_local_port_range') as file:
        first_of_clients = int(file.read().split()[0])
    begin = max(first_of_clients - 10000, 10000)
    for i in range(10000):
        port = begin + (os.getpid() * 37 + free_port.calls + i) % 10000
        with socket.socket() as candidate:
            try:
                candidate.bind(('127.0.0.1', port))
            except OSError:
                continue
        free_port.calls += i + 1
        return port
    sys.exit('There is no free port.')


free_port.calls = 0


def listens(port):
    """Whether somebody listens on the port.  To connect would be a client that should not count."""
    for table in ('/proc/net/tcp', '/proc/net/tcp6'):
        with contextlib.suppress(OSError), open(table) as file:
            for line in file:
                words = line.split()
                if words[1].endswith(f':{port:04X}') and words[3] == '0A':
                    return True
    return False


def description():
    """What the figures depend on, in a line."""
    model = 'unknown processor'
    for line in pathlib.Path('/proc/cpuinfo').read_text().split('\n'):
        if line.startswith('model name'):
            model = line.split(':', 1)[1].strip()
            break
    system = 'Linux'
    with contextlib.suppress(OSError):
        for line in pathlib.Path('/etc/os-release').read_text().split('\n'):
            if line.startswith('PRETTY_NAME='):
                system = line.split('=', 1)[1].strip('"')
    kernel = os.uname().release.split('-')[0]
    return f'{len(os.sched_getaffinity(0))} processors ({model}), {system}, Linux {kernel}'
