"""comparison -- of latencies without and with something, honest about noise. Used by scenarios and by run/bench."""
import math
import statistics


def percentile(values, percent):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100))]


def interval(ratios):
    """The 90 % interval of their median, or a little more, from their order alone: no noise has to be normal for it."""
    ordered, count, below, chance = sorted(ratios), len(ratios), 0, 0.0
    while below < count // 2 and chance + math.comb(count, below) / 2**count <= 0.05:
        chance += math.comb(count, below) / 2**count
        below += 1
    return ordered[max(below - 1, 0)], ordered[min(count - below, count - 1)]


class Comparison:
    """How a percentile changes: the median over pairs of rounds that lie side by side in time, so that what the machine
    does to both cancels out, and a stall in one round is one pair among many."""

    def __init__(self, percent):
        self.percent, self.without, self.with_it = percent, [], []

    def add(self, without, with_it):
        """Latencies of one pair of rounds; neither is empty."""
        self.without.append(percentile(without, self.percent))
        self.with_it.append(percentile(with_it, self.percent))

    def factor(self):
        """With over without: the median over the pairs, and the ends of its interval."""
        ratios = [b / a for a, b in zip(self.without, self.with_it)]
        return statistics.median(ratios), *interval(ratios)

    def medians(self):
        """Of the rounds without and of those with it."""
        return statistics.median(self.without), statistics.median(self.with_it)

    def __str__(self):
        return "{:.2f} ms without, {:.2f} ms with".format(*self.medians())


def judge(low, high, limit):
    """"within" or "worse" when the whole interval of a factor says so, otherwise "open"."""
    return "within" if high < limit else "worse" if low > limit else "open"
