"""The rows that runs have left, and what is computed from them."""

import json
import statistics

import servers


def load(file):
    """All rows of a file that have no error, without disturbed ones where there are others."""
    if not file.exists():
        return []
    rows = [json.loads(line) for line in file.read_text().split('\n') if line]
    quiet = {(r['config'], r['peer']) for r in rows if 'error' not in r and not r.get('disturbed')}
    return [r for r in rows
            if 'error' not in r and (not r.get('disturbed') or (r['config'], r['peer']) not in quiet)]


class Table:
    """The rows of one configuration."""

    def __init__(self, rows, config):
        self.rows = [row for row in rows if row['config'] == config]
        self.peers = list(dict.fromkeys(row['peer'] for row in self.rows))

    def values(self, peer, figure):
        return [row[figure] for row in self.rows if row['peer'] == peer and figure in row]

    def median(self, peer, figure):
        values = self.values(peer, figure)
        return statistics.median(values) if values else None

    def is_disturbed(self, peer):
        return any(row.get('disturbed') for row in self.rows if row['peer'] == peer)

    def ratio(self, peer, base, figure):
        """The median over rounds of the ratio in that round; of medians, if they share no round."""
        ratios = self._ratios(peer, base, figure)
        if ratios:
            return statistics.median(ratios)
        above, below = self.median(peer, figure), self.median(base, figure)
        return above / below if above is not None and below else None

    def error_of_ratio(self, peer, base, figure):
        """The standard error of that median, from the middle 80 % of the ratios; None if they are few."""
        ratios = sorted(self._ratios(peer, base, figure))
        count = len(ratios)
        if count < 20 or peer == base:
            return None
        middle = ratios[count // 10:count - count // 10]
        return 1.25 * statistics.pstdev(middle) / count ** 0.5

    def _ratios(self, peer, base, figure):
        of = {name: {row['round']: row[figure] for row in self.rows if row['peer'] == name and figure in row}
              for name in (peer, base)}
        return [of[peer][n] / of[base][n] for n in of[peer] if of[base].get(n)]

    def best(self, figure):
        """The best of the peers, apart from what was written by hand on the raw interfaces."""
        candidates = [peer for peer in self.peers if not servers.is_ours(peer) and peer not in servers.RAW]
        candidates = [peer for peer in candidates if self.median(peer, figure)]
        return min(candidates, key=lambda peer: self.median(peer, figure), default=None)

    def sorted_peers(self, figure):
        """Ours first, then the raw ones, then the best first."""
        def key(peer):
            group = 0 if servers.is_ours(peer) else 1 if peer in servers.RAW else 2
            median = self.median(peer, figure)
            return group, self.peers.index(peer) if group < 2 else median if median is not None else 1e99
        return sorted(self.peers, key=key)
