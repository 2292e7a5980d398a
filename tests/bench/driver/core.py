"""The suite `core`: its programs take turns, and leave rows like all others."""

import json
import subprocess
import sys

import core_programs
import machine


def measure(folder, form, file):
    """Runs all programs in `folder`, `form.core_rounds` times, writes their rows, and gives remarks."""
    remarks = []
    programs = core_programs.find(folder, only_ours=form.core_rounds == 0)
    if not any(program.name == core_programs.OURS for program in programs):
        sys.exit(f'There is no {core_programs.OURS} in {folder}.')
    for round_number in range(max(form.core_rounds, 1)):
        # Who comes first changes, so that nobody always meets the same neighbour.
        turn = round_number % len(programs)
        for program in programs[turn:] + programs[:turn]:
            try:
                with machine.to_itself():
                    measured = core_programs.run(program, form.core_seconds)
            except (RuntimeError, subprocess.TimeoutExpired) as error:
                if program.name == core_programs.OURS:
                    raise
                remarks.append(f'Left out: {program.name}, {error}.')
                continue
            print(f'{round_number} core    {program.name}: {len(measured)} operations', flush=True)
            for row in measured:
                row = {'suite': 'core', 'config': row['config'], 'peer': row['peer'], 'round': round_number,
                       'ns': row['ns'], 'allocations': row['allocations']}
                file.write(json.dumps(row) + '\n')
    return remarks
