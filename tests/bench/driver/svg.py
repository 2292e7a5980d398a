"""Plots as SVG: lines over two logarithmic or linear axes, and bars.  Labels are where the eye is."""

import math
from xml.sax.saxutils import escape

WIDTH, HEIGHT = 820, 460
LEFT, RIGHT, TOP, BOTTOM = 80, 170, 50, 60
COLOURS = ('#c0392b', '#555555', '#888888', '#1f6fb2', '#3fa0d8', '#2e8b57', '#8e6bbf', '#d98a1f', '#12908e', '#a0642c',
           '#b5589a')
_FONT = 'font-family="Helvetica, Arial, sans-serif"'


class Axis:
    """Values to positions, by their logarithm or not."""

    def __init__(self, low, high, begin, end, logarithmic):
        self.logarithmic = logarithmic
        self.low, self.high = self._scaled(low), self._scaled(high)
        if self.high <= self.low:
            self.high = self.low + 1
        self.begin, self.end = begin, end

    def _scaled(self, value):
        return math.log10(value) if self.logarithmic else value

    def at(self, value):
        return self.begin + (self._scaled(value) - self.low) / (self.high - self.low) * (self.end - self.begin)


def _text(x, y, words, size=12, anchor='start', colour='#333333', weight='normal', turn=''):
    return (f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" text-anchor="{anchor}" fill="{colour}" '
            f'font-weight="{weight}" {_FONT}{turn}>{escape(words)}</text>')


def _document(height, title, parts):
    return '\n'.join([
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}">',
        f'<rect width="{WIDTH}" height="{height}" fill="#fdfdfb"/>',
        _text(20, 28, title, 16, weight='bold')] + parts + ['</svg>', ''])


def short(value):
    """1500000 as 1.5M."""
    for limit, letter in ((1e6, 'M'), (1e3, 'k')):
        if value >= limit:
            return f'{value / limit:.3g}{letter}'
    return f'{value:.3g}'


def _ticks(low, high, logarithmic):
    if logarithmic:
        steps = [m * 10.0 ** e for e in range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
                 for m in (1, 2, 5)]
        inside = [step for step in steps if low <= step <= high]
        return inside if len(inside) <= 9 else [step for step in inside if f'{step:e}'[0] == '1']
    step = 10.0 ** math.floor(math.log10(high / 2))
    step *= next(m for m in (1, 2, 5, 10) if high / (step * m) <= 6)
    return [step * i for i in range(int(high / step) + 1)]


def _apart(wanted, gap):
    """Positions near the wanted ones, in their order, at least `gap` apart."""
    placed = []
    for y in wanted:
        placed.append(max(y, placed[-1] + gap) if placed else y)
    over = placed[-1] - (HEIGHT - BOTTOM) if placed else 0
    if over > 0:
        placed = [min(y, HEIGHT - BOTTOM - gap * (len(placed) - 1 - i)) for i, y in enumerate(placed)]
    return placed


def lines(title, x_name, y_name, series, x_ticks, y_logarithmic=False, x_logarithmic=True, strong=''):
    """`series` is {name: [(x, y)]}, `x_ticks` {x: words}.  The one that is `strong` is drawn last, and bold."""
    points = [point for of_one in series.values() for point in of_one]
    y_low = min(y for _, y in points) * 0.9 if y_logarithmic else 0
    y_high = max(y for _, y in points) * 1.05
    across = Axis(min(x_ticks), max(x_ticks), LEFT, WIDTH - RIGHT, x_logarithmic)
    up = Axis(y_low, y_high, HEIGHT - BOTTOM, TOP, y_logarithmic)
    parts = []
    for y in _ticks(y_low, y_high, y_logarithmic):
        parts.append(f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{up.at(y):.1f}" y2="{up.at(y):.1f}" stroke="#e4e4de"/>')
        parts.append(_text(LEFT - 8, up.at(y) + 4, short(y), anchor='end'))
    for x, words in x_ticks.items():
        parts.append(f'<line x1="{across.at(x):.1f}" x2="{across.at(x):.1f}" y1="{TOP}" y2="{HEIGHT - BOTTOM}" '
                     'stroke="#e4e4de"/>')
        parts.append(_text(across.at(x), HEIGHT - BOTTOM + 20, words, anchor='middle'))
    parts.append(_text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 15, x_name, 13, 'middle'))
    middle = (TOP + HEIGHT - BOTTOM) / 2
    parts.append(_text(20, middle, y_name, 13, 'middle', turn=f' transform="rotate(-90 20 {middle})"'))

    colours = dict(zip(series, COLOURS * 2))
    for name in sorted(series, key=lambda n: n == strong):
        path = ' '.join(f'{across.at(x):.1f},{up.at(y):.1f}' for x, y in series[name])
        width = 3.5 if name == strong else 1.6
        parts.append(f'<polyline points="{path}" fill="none" stroke="{colours[name]}" stroke-width="{width}"/>')
        if len(series[name]) < 10:
            parts += [f'<circle cx="{across.at(x):.1f}" cy="{up.at(y):.1f}" r="{width}" fill="{colours[name]}"/>'
                      for x, y in series[name]]
    ends = sorted(((up.at(of_one[-1][1]), name) for name, of_one in series.items()))
    for (y, name), label in zip(ends, _apart([y for y, _ in ends], 15)):
        x = across.at(series[name][-1][0])
        parts.append(f'<line x1="{x + 4:.1f}" y1="{y:.1f}" x2="{WIDTH - RIGHT + 22}" y2="{label:.1f}" '
                     f'stroke="{colours[name]}" stroke-width="0.7"/>')
        parts.append(_text(WIDTH - RIGHT + 26, label + 4, name, 12, colour=colours[name],
                           weight='bold' if name == strong else 'normal'))
    return _document(HEIGHT, title, parts)


def bars(title, unit, values, strong=''):
    """`values` is {name: value}, drawn least first."""
    ordered = sorted(values.items(), key=lambda item: item[1])
    row, top = 28, 55
    height = top + row * len(ordered) + 40
    across = Axis(0, max(value for _, value in ordered), 150, WIDTH - 110, False)
    parts = []
    for i, (name, value) in enumerate(ordered):
        y = top + row * i
        colour = COLOURS[0] if name == strong else '#7d9bb5'
        weight = 'bold' if name == strong else 'normal'
        end = max(across.at(value), 151)
        parts.append(_text(140, y + 15, name, 13, 'end', weight=weight))
        parts.append(f'<rect x="150" y="{y}" width="{end - 150:.1f}" height="{row - 8}" fill="{colour}"/>')
        parts.append(_text(end + 8, y + 15, f'{value:,.0f}', 12, weight=weight))
    parts.append(_text(150, height - 15, unit, 12))
    return _document(height, title, parts)
