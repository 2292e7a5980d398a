"""The programs that measure the core: which there are, and how to run one."""

import dataclasses
import json
import os
import pathlib
import shutil
import subprocess

import machine

OURS = 'core_ours'
_NODE = pathlib.Path(__file__).resolve().parent.parent / 'core/peers/node/core.js'


@dataclasses.dataclass(frozen=True)
class Program:
    name: str
    command: list
    is_google_benchmark: bool


def find(folder, only_ours):
    """Those that were built into `folder`, and those that need no building."""
    def programs_in(place, pattern):
        return [path for path in sorted(place.glob(pattern)) if path.is_file() and os.access(path, os.X_OK)]

    found = [Program(path.name, [str(path)], True) for path in programs_in(folder, 'core_*')]
    found += [Program(path.name, [str(path)], False) for path in programs_in(folder / 'peers', '*')]
    if shutil.which('node'):
        found.append(Program('node', ['node', str(_NODE)], False))
    return [program for program in found if not only_ours or program.name == OURS]


def run(program, seconds):
    """Runs it on one processor, each operation five times for `seconds`; its rows are
    {'config', 'peer', 'ns', 'allocations'}."""
    command = list(program.command)
    if program.is_google_benchmark:
        command += ['--benchmark_format=json', '--benchmark_enable_random_interleaving=true', '--benchmark_repetitions=5',
                    '--benchmark_report_aggregates_only=true', f'--benchmark_min_time={seconds}']
    result = subprocess.run(command, capture_output=True, text=True, timeout=300,
                            preexec_fn=lambda: os.sched_setaffinity(0, {machine.processors()[0]}))
    if result.returncode != 0:
        raise RuntimeError(f'it has ended with {result.returncode}: {result.stderr[-1000:]}')
    if program.is_google_benchmark:
        return list(_rows_of_google_benchmark(json.loads(result.stdout)))
    return [json.loads(line) for line in result.stdout.splitlines() if line.startswith('{')]


def _rows_of_google_benchmark(report):
    for entry in report['benchmarks']:
        if entry.get('aggregate_name') == 'median':
            peer, operation = entry['run_name'].split('/')[:2]  # and then how it was run
            yield {'config': operation, 'peer': peer, 'ns': round(entry['cpu_time'], 3),
                   'allocations': round(entry['allocations'], 3)}
