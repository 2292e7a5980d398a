"""One run of one cell: a fresh server, and the load on it."""

import dataclasses
import json
import os
import pathlib
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


def _run(server, cell, form, places, folder):
    port, backend_port = machine.free_port(), machine.free_port()
    for_server, for_load = machine.processors()
    environment = dict(os.environ, BULK_BYTES=str(form.bulk_bytes), **cell.environment)
    command = _command(server, cell, places, port, backend_port, folder)
    process = subprocess.Popen(['taskset', '-c', str(for_server)] + command, stdin=subprocess.DEVNULL,
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment)
    try:
        _wait_until_it_listens(process, port)
        row = _load(cell, form, places, for_load, port, backend_port, process.pid)
        if process.poll() is not None:
            raise Failed(f'the server has ended with {process.returncode}')
        return row
    finally:
        process.kill()
        process.wait()


def run(server, cell, form, places):
    """The row of the load, or {'error': why}.  `disturbed` is set if others used the processors."""
    row = {}
    for attempt in range(1, form.tries + 1):
        if form.patience > 0:
            machine.wait_until_quiet(form.patience)
        with machine.to_itself(), tempfile.TemporaryDirectory() as folder:
            try:
                row = _run(server, cell, form, places, folder)
            except (Failed, OSError) as failure:
                row = {'error': str(failure)}
        row['tries'] = attempt
        if 'error' not in row:
            row['disturbed'] = row['foreign'] + row['steal'] > 0.15
            if not row['disturbed']:
                break
    if 'cpu_us' in row and cell.load == 'echo' and row['cpu_us'] > 0:
        size = cell.options['size']
        row['cpu_s_per_gb'] = row['cpu_us'] * 1000 / size
        row['gb_per_s'] = row['rps'] * size * 1e-9
    return row
