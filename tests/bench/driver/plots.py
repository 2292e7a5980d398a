"""The plots of the report, as far as there are rows for them."""

import statistics

import rows
import servers
import svg


def _names(found):
    """In one order everywhere, so that each has one colour."""
    everybody = list(dict.fromkeys(server.name for role in servers.ROLES.values() for server in role))
    there = {row['peer'] for row in found}
    return [name for name in everybody if name in there and name != servers.AGAIN]


def throughput(found):
    configs = {1: 'c1 64 B', 64: 'c64 64 B', 1000: 'c1000 64 B', 10000: 'c10000 64 B'}
    series = {}
    for name in _names(found):
        points = [(connections, rows.Table(found, config).median(name, 'rps')) for connections, config in configs.items()]
        series[name] = [point for point in points if point[1]]
    series = {name: points for name, points in series.items() if len(points) > 1}
    if not series:
        return None
    return svg.lines('Echo of 64 bytes: requests a second', 'connections', 'requests/s', series,
                     {n: f'{n:,}' for n in configs}, strong=servers.OURS)


def latency(found):
    """How slow the slowest are: each further nine is as wide as the one before."""
    table = rows.Table(found, 'c1000 64 B')
    series = {}
    for name in _names(table.rows):
        curves = [dict((q, us) for q, us in curve) for curve in table.values(name, 'latency')]
        if curves:
            quantiles = [q for q in curves[0] if q <= 0.9991]
            series[name] = [(1 / (1 - q), statistics.median(curve[q] for curve in curves)) for q in quantiles]
    if not series:
        return None
    return svg.lines('Echo of 64 bytes on 1,000 connections: latency', 'part of the requests that were faster',
                     'µs', series, {1: '0', 2: '50 %', 10: '90 %', 100: '99 %', 1000: '99.9 %'}, y_logarithmic=True,
                     strong=servers.OURS)


def memory(found):
    table = rows.Table(found, '10,000 connections')
    values = {name: table.median(name, 'used_bytes') for name in _names(table.rows)}
    values = {name: max(value, 0) for name, value in values.items() if value is not None}
    if not values:
        return None
    return svg.bars('Memory of an idle connection', 'resident bytes a connection, of 10,000 that have been used once',
                    values, strong=servers.OURS)


def write(folder, found):
    """Writes those that can be drawn, and gives the lines of the report that show them."""
    result = []
    for name, words, plot in (
            ('throughput', 'Requests a second over connections', throughput(found['echo'])),
            ('latency', 'Distribution of latencies', latency(found['echo'])),
            ('memory', 'Memory of a connection', memory(found['growth']))):
        if plot:
            (folder / f'{name}.svg').write_text(plot)
            result += [f'![{words}]({name}.svg)', '']
    return ['## Plots', ''] + result if result else []
