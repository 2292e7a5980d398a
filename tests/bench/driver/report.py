"""Writes report.md, which is a summary, a table for each cell, and plots; and core.md."""

import core_table
import plots
import rows
import servers
import suites


def number(value, digits=3):
    if value is None:
        return '–'
    if value == 0:
        return '0'
    if abs(value) >= 100:
        return f'{value:,.0f}'
    decimals = max(0, digits - len(str(int(abs(value))))) if abs(value) >= 1 else digits
    return f'{value:.{decimals}f}'


def ratio(value, error=None):
    if value is None:
        return '–'
    return f'{value:.2f}' if error is None else f'{value:.3f} ±{error:.3f}'


def _bold(name, cells):
    return [f'**{cell}**' for cell in cells] if name == servers.OURS else cells


def _table(head, lines):
    return ['| ' + ' | '.join(head) + ' |', '|---|' + '---:|' * (len(head) - 1)] + [
        '| ' + ' | '.join(line) + ' |' for line in lines] + ['']


def _cells_with_rows(suite, found):
    configs = {row['config'] for row in found}
    return [cell for cell in suite.cells if cell.config in configs]


def _figure(suite, cell):
    return cell.figure or suite.figure, cell.unit or suite.unit


def summary(title, chosen, found, base=servers.LIBUV):
    """Peers by cells, relative to `base`."""
    columns = []
    for suite in suites.SUITES:
        if suite.name in chosen:
            for cell in _cells_with_rows(suite, found[suite.name]):
                name = cell.config if len(chosen) == 1 else f'{suite.title}: {cell.config}'
                columns.append((name, rows.Table(found[suite.name], cell.config), *_figure(suite, cell)))
    if not columns:
        return []
    names = list(dict.fromkeys(peer for _, table, _, _ in columns for peer in table.peers))
    if base not in names:
        return []

    def standing(name):
        group = 0 if servers.is_ours(name) else 1 if name in servers.RAW else 2
        known = [table.ratio(name, base, figure) for _, table, figure, _ in columns]
        known = [value for value in known if value is not None]
        return group, sum(known) / len(known) if group == 2 and known else names.index(name)

    lines = [[f'{base}, absolute'] + [
        f'{number(table.median(base, figure))} {unit.split(" ")[0]}' for _, table, figure, unit in columns]]
    for name in sorted(names, key=standing):
        if name != base:
            line = [name] + [ratio(table.ratio(name, base, figure)) for _, table, figure, _ in columns]
            lines.append(_bold(name, line))
    return [f'### {title}', ''] + _table([''] + [name for name, _, _, _ in columns], lines)


def details(suite, cell, found):
    """One cell: absolute figure, spread, ratios, and what else was measured."""
    table = rows.Table(found, cell.config)
    figure, unit = _figure(suite, cell)
    best = table.best(figure)
    others = [(key, name) for key, name in suite.columns if any(key in row for row in table.rows)]
    head = ['', unit, 'min–max', '/ epoll', '/ libuv', '/ best peer'] + [name for _, name in others]
    lines = []
    for peer in table.sorted_peers(figure):
        values = table.values(peer, figure)
        if not values:
            continue
        line = [peer + ('†' if table.is_disturbed(peer) else ''), number(table.median(peer, figure)),
                f'{number(min(values))}–{number(max(values))}',
                *[ratio(table.ratio(peer, base, figure), table.error_of_ratio(peer, base, figure)) if base else '–'
                  for base in (servers.EPOLL, servers.LIBUV, best)]]
        lines.append(_bold(peer, line + [number(table.median(peer, key)) for key, _ in others]))
    count = max((len(table.values(peer, figure)) for peer in table.peers), default=0)
    rounds = f'{count} round{"s" if count != 1 else ""}' + (f'; the best peer is {best}' if best else '')
    return [f'**{cell.config}** ({rounds})', ''] + _table(head, lines)


_INTRODUCTION = """\
# The library beside its peers

{about}

**Time of the server's processor** is the primary figure: it hardly depends on what else the machine does, while requests
a second and latencies do. Lower is better. Each figure is the median over the rounds; ratios are medians of the ratios in
each round. `async_uv again` is the same program once more: what differs between the two is noise. One with a † was
disturbed by something else each time it was tried. ± is the standard error of a median, of many rounds. ../README.md says how all this is measured.

Versions: {versions}.
"""


def write(results, folder, about, versions):
    """Writes report.md and plots into `folder`, and gives the names of tables that are empty."""
    folder.mkdir(parents=True, exist_ok=True)
    found = {suite.name: rows.load(results / f'{suite.name}.jsonl') for suite in suites.SUITES}
    text = _INTRODUCTION.format(about=' '.join(about), versions=', '.join(versions) or 'unknown').split('\n')

    overview = summary('Echo', ['echo'], found) + summary(
        'Lines, bulk and connections', ['line', 'bulk', 'churn'], found) + summary('Proxies', ['proxy'], found)
    if overview:
        text += ['## In short: time of the processor, relative to raw libuv', ''] + overview
    overview = summary('TLS', ['tls'], found, servers.EPOLL)
    if overview:
        text += ['## In short: TLS, relative to BoringSSL by hand on raw epoll', ''] + overview
    text += plots.write(folder, found)

    empty = []
    for suite in suites.SUITES:
        shown = _cells_with_rows(suite, found[suite.name])
        if not shown:
            empty.append(suite.name)
            continue
        text += [f'## {suite.title}', '', suite.remark, '']
        for cell in shown:
            text += details(suite, cell, found[suite.name])
    (folder / 'report.md').write_text('\n'.join(text).rstrip() + '\n')
    return empty


def write_core(results, folder, about):
    """Writes core.md into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / 'core.md').write_text(core_table.document(' '.join(about), rows.load(results / 'core.jsonl')))
