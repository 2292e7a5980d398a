"""Runs suites, prints tables, and writes the report.  tests/bench/run starts this."""

import argparse
import collections
import dataclasses
import json
import pathlib
import shutil
import sys
import time

sys.dont_write_bytecode = True  # nothing is left among the sources

import cell as cells
import core
import machine
import report
import servers
import suites

_NAMES = [suites.CORE] + [suite.name for suite in suites.SUITES]


def arguments():
    parser = argparse.ArgumentParser(prog='tests/bench/run')
    forms = parser.add_mutually_exclusive_group()
    for form in suites.FORMS:
        forms.add_argument(f'--{form}', dest='form', action='store_const', const=form)
    parser.add_argument('--programs', required=True, help=argparse.SUPPRESS)
    parser.add_argument('--examples', required=True, help=argparse.SUPPRESS)
    parser.add_argument('--core', type=pathlib.Path, help=argparse.SUPPRESS)
    parser.add_argument('--results', required=True, type=pathlib.Path, help=argparse.SUPPRESS)
    parser.add_argument('--report', type=pathlib.Path, help='the folder for report.md and its plots')
    parser.add_argument('--only', help='names of servers, with commas between them')
    parser.add_argument('--rounds', type=int, help='instead of what the form says')
    parser.add_argument('suite', nargs='*', help=f'some of {" ".join(_NAMES)}')
    parser.set_defaults(form='short')
    result = parser.parse_args()
    unknown = set(result.suite) - set(_NAMES)
    if unknown:
        parser.error(f'there is no suite {" ".join(sorted(unknown))}')
    return result


def participants(suite, options, places):
    """Who takes part, and who would if it were there."""
    everybody = servers.ROLES.get(suite.role, [])
    if options.form == 'smoke':
        everybody = [s for s in everybody if servers.is_ours(s.name) or s.name in servers.RAW]
    if options.only:
        everybody = [s for s in everybody if s.name in options.only.split(',')]
    folders = {'programs': places.programs, 'examples': places.examples, 'peers': places.peers}
    there = [s for s in everybody if s.is_there(folders)]
    return there, [s.name for s in everybody if s not in there]


def print_row(row):
    figures = ' '.join(f'{name}={row[name]:.4g}' for name in
                       ('cpu_us', 'cpu_s_per_gb', 'rps', 'gb_per_s', 'p99_us', 'idle_bytes', 'used_bytes', 'foreign') if name in row)
    print(f"{row['round']} {row['suite']:7} {row['config']:28} {row['peer']:19} {row.get('error', figures)}", flush=True)


class Run:
    def __init__(self, options):
        self.options = options
        self.form = suites.FORMS[options.form]
        if options.rounds:
            self.form = dataclasses.replace(self.form, rounds=options.rounds, core_rounds=options.rounds)
        self.places = cells.Places(options.programs, options.examples)
        self.chosen = [s for s in suites.SUITES if not options.suite or s.name in options.suite]
        self.descriptors = machine.allow_descriptors(65536)
        self.remarks = []
        self.given_up = set()  # what has failed once will do so again
        self.errors_of_ours = []
        for suite in list(self.chosen):
            missing = {cell.program for cell in suite.cells if shutil.which(f'{options.programs}/{cell.program}') is None}
            if missing:
                self.chosen.remove(suite)
                self.remark(f'Left out: {suite.name}, without {" ".join(sorted(missing))}.')

    def remark(self, text):
        if text not in self.remarks:
            self.remarks.append(text)
            print(text, flush=True)

    def cells_of(self, suite):
        for cell in suites.cells(suite, self.options.form):
            needed = cell.connections * (2 if cell.backend else 1) + 100
            if needed <= self.descriptors:
                yield cell
            else:
                self.remark(f'Left out: {suite.name}, {cell.config}: only {self.descriptors} descriptors are allowed.')

    def go(self):
        """Rounds over all suites, so that what slow changes of the machine do is spread over all."""
        end = time.monotonic() + self.form.budget
        files = {}
        self.options.results.mkdir(parents=True, exist_ok=True)
        for suite in self.chosen:
            files[suite.name] = open(self.options.results / f'{suite.name}.jsonl', 'w')
        for round_number in range(self.form.rounds):
            for suite in self.chosen:
                there, missing = participants(suite, self.options, self.places)
                for name in missing:
                    self.remark(f'Left out: {name}, which is not there.')
                for cell in self.cells_of(suite):
                    first = round_number * 3 % max(len(there), 1)
                    able = [s for s in there[first:] + there[:first] if s.can_be_under(cell.load)
                            and (suite.name, cell.config, s.name) not in self.given_up]
                    for row in self.rows_of(suite, cell, able, round_number):
                        files[suite.name].write(json.dumps(row) + '\n')
                        files[suite.name].flush()
                        if time.monotonic() > end:
                            self.remark(f'The time was up in round {round_number + 1} of {self.form.rounds}.')
                            return

    def rows_of(self, suite, cell, able, round_number):
        """In slices, each slice counts as a round."""
        if self.form.slices > 0:
            runs = cells.run_together(able, cell, self.form, self.places)
        else:
            runs = ((server, cells.run(server, cell, self.form, self.places)) for server in able)
        counts = collections.Counter()
        for server, row in runs:
            number = round_number * max(self.form.slices, 1) + counts[server.name]
            counts[server.name] += 1
            row.update(suite=suite.name, config=cell.config, peer=server.name, round=number)
            print_row(row)
            if 'error' in row:
                key = suite.name, cell.config, server.name
                self.given_up.add(key)
                if servers.is_ours(server.name) or self.options.form == 'smoke':
                    self.errors_of_ours.append(f'{", ".join(key)}: {row["error"]}')
            yield row


def about(options, form, rounds, remarks):
    slices = f' with {form.slices} slices each' if form.slices else ''
    return [f'{machine.description()}.', f'The {options.form} form, of {rounds} round{"s" if rounds > 1 else ""}{slices}.'] + remarks


def measure_core(options, form, folder):
    """Writes the rows of the core, and its part of the report."""
    options.results.mkdir(parents=True, exist_ok=True)
    with open(options.results / 'core.jsonl', 'w') as file:
        remarks = core.measure(options.core, form, file)
    report.write_core(options.results, folder, about(options, form, max(form.core_rounds, 1), remarks))


def show(file):
    print(file.read_text())
    print(f'This is {file}.')


def main():
    options = arguments()
    if options.form != 'smoke':
        machine.take_precedence()
    run = Run(options)
    folder = options.report
    if folder is None:
        here = pathlib.Path(__file__).resolve().parent.parent
        is_whole = options.form == 'long' and not options.suite and not servers.BORINGSSL_SOURCE_DIR
        folder = here / 'results' if is_whole else options.results / 'report'
    if options.core and suites.CORE in (options.suite or _NAMES):
        measure_core(options, run.form, folder)
        show(folder / 'core.md')
    if not run.chosen:
        return
    run.go()
    empty = report.write(options.results, folder, about(options, run.form, run.form.rounds, run.remarks), servers.versions())
    show(folder / 'report.md')

    if run.errors_of_ours:
        sys.exit('\n'.join(['Failed:'] + run.errors_of_ours))
    empty = [suite.name for suite in run.chosen if suite.name in empty]
    if empty:
        sys.exit(f'These tables are empty: {", ".join(empty)}')


if __name__ == '__main__':
    main()
