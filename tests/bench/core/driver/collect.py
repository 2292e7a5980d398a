#!/usr/bin/env python3
"""collect.py FOLDER ROUNDS OUT: runs the programs in FOLDER again and again, appends what they say to OUT."""

import json
import subprocess
import sys
from pathlib import Path

from programs import OURS, find_programs, run
from table import print_table


def main() -> None:
    folder, rounds, out = Path(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3])
    programs = find_programs(folder)
    rows = []
    out.parent.mkdir(parents=True, exist_ok=True)
    with out.open("a") as file:
        for round_number in range(1, rounds + 1):
            # Who comes first changes, so that nobody always meets the same neighbour.
            turn = round_number % len(programs)
            for program in programs[turn:] + programs[:turn]:
                print(f"round {round_number}: {program.name}", file=sys.stderr)
                try:
                    measured = run(program)
                except (RuntimeError, subprocess.TimeoutExpired) as error:
                    if program.name == OURS:
                        raise
                    print(f"{program.name} is left out: {error}", file=sys.stderr)
                    continue
                for row in measured:
                    row = {"suite": "core", "config": row["config"], "peer": row["peer"], "round": round_number,
                           "ns": row["ns"], "allocations": row["allocations"]}
                    rows.append(row)
                    file.write(json.dumps(row) + "\n")
    print_table(rows)


main()
