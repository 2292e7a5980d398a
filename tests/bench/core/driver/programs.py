"""The programs that measure, and how to read what they print."""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent.parent
CPU = 0
OURS = "core_ours"


@dataclass
class Program:
    name: str
    command: list[str]
    is_google_benchmark: bool


def find_programs(folder: Path) -> list[Program]:
    """Those that were built into `folder`, and those that need no building."""
    found = []
    for path in sorted(folder.glob("core_*")):
        if os.access(path, os.X_OK) and path.is_file():
            command = [str(path), "--benchmark_format=json", "--benchmark_enable_random_interleaving=true"]
            found.append(Program(path.name, command, True))
    for path in sorted((folder / "peers").glob("*")):
        if os.access(path, os.X_OK) and path.is_file():
            found.append(Program(path.name, [str(path)], False))
    if shutil.which("node"):
        found.append(Program("node", ["node", str(HERE / "peers/node/core.js")], False))
    return found


def run(program: Program) -> list[dict]:
    """Runs it on one CPU; its rows are {"config", "peer", "ns", "allocations"}."""
    result = subprocess.run(
        program.command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        timeout=300,
        preexec_fn=lambda: os.sched_setaffinity(0, {CPU}),
    )
    if result.returncode != 0:
        raise RuntimeError(f"{program.name} ended with {result.returncode}: {result.stderr[-1000:]}")
    if program.is_google_benchmark:
        return list(rows_of_google_benchmark(json.loads(result.stdout)))
    return [json.loads(line) for line in result.stdout.splitlines() if line.startswith("{")]


def rows_of_google_benchmark(report: dict) -> Iterator[dict]:
    for entry in report["benchmarks"]:
        if entry.get("aggregate_name") != "median":
            continue
        # peer/operation/min_time:.../repeats:...
        peer, operation = entry["run_name"].split("/")[:2]
        yield {
            "config": operation,
            "peer": peer,
            "ns": round(entry["cpu_time"], 3),
            "allocations": round(entry["allocations"], 3),
        }
