"""The table: operations by peers."""

from statistics import median

from operations import CXX_PEERS, FLOOR, GOALS, OURS, PEERS, TIMES_FLOOR


class Figures:
    """What was measured, by operation and peer."""

    def __init__(self, rows: list[dict]) -> None:
        self._rounds: dict[tuple[str, str], dict[int, dict]] = {}
        for row in rows:
            self._rounds.setdefault((row["config"], row["peer"]), {})[row["round"]] = row

    def ns(self, operation: str, peer: str) -> float | None:
        rounds = self._rounds.get((operation, peer))
        return median(row["ns"] for row in rounds.values()) if rounds else None

    def allocations(self, operation: str, peer: str) -> float | None:
        """None if the peer does not count them."""
        rounds = self._rounds.get((operation, peer))
        counts = [row["allocations"] for row in rounds.values()] if rounds else []
        return None if not counts or None in counts else median(counts)

    def ratio(self, operation: str, peer: str, base: str) -> float | None:
        """The median of the rounds' ratios: what disturbs a round disturbs both."""
        ours, theirs = (self._rounds.get((operation, name), {}) for name in (peer, base))
        both = ours.keys() & theirs.keys()
        return median(ours[n]["ns"] / theirs[n]["ns"] for n in both) if both else None

    def has(self, peer: str) -> bool:
        return any(name == peer for _, name in self._rounds)


def number(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:.0f}" if value >= 100 else f"{value:.1f}"


def marked(text: str, is_missed: bool) -> str:
    return text + " !" if is_missed else text


def print_table(rows: list[dict]) -> None:
    figures = Figures(rows)
    peers = [peer for peer in PEERS if figures.has(peer)]
    heads = ["CPU ns an operation", "ours", "goal", "floor", "x floor", "allocations"] + peers
    lines = [heads, ["---"] + ["---:"] * (len(heads) - 1)]
    for operation, goal in GOALS.items():
        ours = figures.ns(operation, OURS)
        ratio = figures.ratio(operation, OURS, FLOOR)
        allowed = TIMES_FLOOR.get(operation)
        allocations = figures.allocations(operation, OURS)
        line = [
            operation,
            marked(number(ours), bool(goal and ours and ours > goal)),
            number(goal),
            number(figures.ns(operation, FLOOR)),
            marked(f"{ratio:.2f}", bool(allowed and ratio > allowed)) if ratio else "",
            "" if allocations is None else f"{allocations:g}",
        ]
        for peer in peers:
            theirs = figures.ns(operation, peer)
            beats = peer in CXX_PEERS and theirs is not None and ours is not None and theirs < ours
            line.append(marked(number(theirs), beats))
        lines.append(line)
    widths = [max(len(line[i]) for line in lines) for i in range(len(heads))]
    for line in lines:
        cells = [line[0].ljust(widths[0])] + [c.rjust(w) for c, w in zip(line[1:], widths[1:])]
        print("| " + " | ".join(cells) + " |")
    print()
    print("Medians of the rounds. ! marks what misses its goal, what is further from the floor than is allowed")
    print("(1.2 for map and fill, 1.5 for a chain of maps), and C++ peers that are faster than we are.")
