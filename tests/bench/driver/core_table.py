"""The core's part of the report: operations by peers, beside what is aimed at."""

import rows
from core_operations import CXX_PEERS, FLOOR, GOALS, OURS, PEERS, TIMES_FLOOR

_INTRODUCTION = """\
# The core beside its peers

{about}

Nanoseconds of the processor for one operation, and allocations of ours; medians over the rounds, and of the ratios in each round.
An exclamation mark is at what misses its goal, at what is further from the floor (the least that a deferred value and a queue of
jobs can cost, ../core/floor.h) than was aimed at, and at peers in C++ that are faster than ours. ../core/README.md says how this is
measured.
"""


def _number(value):
    if value is None:
        return ''
    return f'{value:,.0f}' if value >= 100 else f'{value:.1f}'


def _marked(text, is_missed):
    return text + ' !' if is_missed else text


def _line(table, operation, goal, peers):
    ours, ratio = table.median(OURS, 'ns'), table.ratio(OURS, FLOOR, 'ns')
    allowed = TIMES_FLOOR.get(operation)
    allocations = table.median(OURS, 'allocations')
    line = [operation, '**' + _marked(_number(ours), bool(goal and ours and ours > goal)) + '**',
            '' if goal is None else str(goal), _number(table.median(FLOOR, 'ns')),
            _marked(f'{ratio:.2f}', bool(allowed and ratio > allowed)) if ratio else '',
            '' if allocations is None else f'{allocations:g}']
    for peer in peers:
        theirs = table.median(peer, 'ns')
        is_faster = peer in CXX_PEERS and theirs is not None and ours is not None and theirs < ours
        line.append(_marked(_number(theirs), is_faster))
    return line


def document(about, found):
    """The whole of it, as Markdown."""
    there = {row['peer'] for row in found}
    peers = [peer for peer in PEERS if peer in there]
    lines = [['ns an operation', 'async_uv', 'goal', 'floor', '/ floor', 'allocations'] + peers]
    lines.append(['---'] + ['---:'] * (len(lines[0]) - 1))
    lines += [_line(rows.Table(found, operation), operation, goal, peers) for operation, goal in GOALS.items()]
    widths = [max(len(line[i]) for line in lines) for i in range(len(lines[0]))]
    text = [_INTRODUCTION.format(about=about)]
    for line in lines:
        cells = [line[0].ljust(widths[0])] + [cell.rjust(width) for cell, width in zip(line[1:], widths[1:])]
        text.append('| ' + ' | '.join(cells) + ' |')
    return '\n'.join(text) + '\n'
