"""Runs of one cell: the load on a fresh server, or in turns on several that run at once."""

import contextlib
import dataclasses
import json
import os
import pathlib
import random
import subprocess
import tempfile
import time

import certificate
import machine
import servers


class Failed(Exception):
    pass


@dataclasses.dataclass(frozen=True)
class Places:
    """Where the programs are."""
    programs: str
    examples: str
    peers: str = str(servers.PEERS)


def _command(server, cell, places, port, backend_port, folder):
    values = dict(dataclasses.asdict(places), port=port, backend_port=backend_port, mode=cell.server_mode)
    files = certificate.files() if server.needs_certificate else ('', '')
    values['certificate'], values['key'] = files
    if server.template:
        text = (servers.PEERS / server.template).read_text()
        for name, value in (('PORT', port), ('BACKEND_PORT', backend_port), ('FOLDER', folder),
                            ('CERTIFICATE', files[0]), ('KEY', files[1])):
            text = text.replace(f'@{name}@', str(value))
        file = pathlib.Path(folder) / 'configuration'
        file.write_text(text)
        values['file'] = str(file)
    return server.command.format(**values).split()


def _wait_until_it_listens(process, port):
    end = time.monotonic() + 10
    while not machine.listens(port):
        if process.poll() is not None:
            raise Failed(f'the server has ended with {process.returncode}')
        if time.monotonic() > end:
            raise Failed('the server does not listen')
        time.sleep(0.01)


def _load(cell, form, places, processor, port, backend_port, pid):
    options = {'port': port, 'pids': pid}
    if cell.backend:
        options['backend-port'] = backend_port
    if cell.load in ('echo', 'growth'):
        options.update({'seconds': form.seconds, 'warm-up': form.warm_up})
    sizes = {'BULK': form.bulk_bytes, 'CHURN': form.churn_count, 'HANDSHAKES': form.handshake_count}
    options.update({name: sizes.get(value, value) for name, value in cell.options.items()})
    command = ['taskset', '-c', str(processor), f'{places.programs}/{cell.program}', cell.load]
    for name, value in options.items():
        command += [f'--{name}', str(value)]
    try:
        load = subprocess.run(command, capture_output=True, text=True, timeout=120)
    except subprocess.TimeoutExpired:
        raise Failed('the load takes too long') from None
    if load.returncode != 0:
        raise Failed(load.stderr.strip() or f'the load has ended with {load.returncode}')
    return json.loads(load.stdout)


@contextlib.contextmanager
def _running(server, cell, form, places):
    """What puts the load on `server` while it runs, and gives the row."""
    port, backend_port = machine.free_port(), machine.free_port()
    for_server, for_load = machine.processors()
    environment = dict(os.environ, BULK_BYTES=str(form.bulk_bytes), **cell.environment)
    with tempfile.TemporaryDirectory() as folder:
        command = _command(server, cell, places, port, backend_port, folder)
        process = subprocess.Popen(['taskset', '-c', str(for_server)] + command, stdin=subprocess.DEVNULL,
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment)

        def measure():
            row = _load(cell, form, places, for_load, port, backend_port, process.pid)
            if process.poll() is not None:
                raise Failed(f'the server has ended with {process.returncode}')
            return _completed(row, cell)

        try:
            _wait_until_it_listens(process, port)
            yield measure
        finally:
            process.kill()
            process.wait()


def _completed(row, cell):
    row['disturbed'] = row['foreign'] + row['steal'] > 0.15
    if 'cpu_us' in row and cell.load == 'echo' and row['cpu_us'] > 0:
        size = cell.options['size']
        row['cpu_s_per_gb'] = row['cpu_us'] * 1000 / size
        row['gb_per_s'] = row['rps'] * size * 1e-9
    return row


def run(server, cell, form, places):
    """The row of the load, or {'error': why}.  `disturbed` is set if others used the processors."""
    row = {}
    for attempt in range(1, form.tries + 1):
        if form.patience > 0:
            machine.wait_until_quiet(form.patience)
        with machine.to_itself():
            try:
                with _running(server, cell, form, places) as measure:
                    row = measure()
            except (Failed, OSError) as failure:
                row = {'error': str(failure)}
        row['tries'] = attempt
        if not row.get('disturbed'):
            break
    return row


def run_together(there, cell, form, places):
    """Pairs of a server and its row, slice by slice, of servers that all run at once."""
    with machine.to_itself(), contextlib.ExitStack() as all_running:
        measures = []
        for server in there:
            try:
                measures.append((server, all_running.enter_context(_running(server, cell, form, places))))
            except (Failed, OSError) as failure:
                yield server, {'error': str(failure)}
        for _ in range(form.slices):
            random.shuffle(measures)
            for one in list(measures):
                server, measure = one
                try:
                    yield server, measure()
                except (Failed, OSError) as failure:
                    measures.remove(one)
                    yield server, {'error': str(failure)}
