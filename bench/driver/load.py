"""load -- runs zvt-load against a fleet, and measures the processes meanwhile."""

import json
import subprocess

from fleet import BenchError
from measure import Snapshot, between


class Load:
    """A load under way. `during` is called once a second with the seconds since the measurement began, or None."""

    def __init__(self, fleet, label, **options):
        self.fleet = fleet
        self.label = label
        words = []
        for name, value in options.items():
            if value is True:
                words.append("--" + name.replace("_", "-"))
            elif value is not None and value is not False:
                words += ["--" + name.replace("_", "-"), str(value)]
        self.process = subprocess.Popen([fleet.bench.binary("zvt-load"), *words], env=fleet.environment(), text=True,
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.first = self.last = None
        self.diagnostics = []
        fleet.bench.children.append(self.process)

    def _snapshot(self, more):
        return Snapshot(self.fleet, {"load": self.process.pid, **more})

    def wait_phase(self, phase, more=None):
        """Reads what the load says until a phase begins; False when the load has ended before."""
        for line in self.process.stderr:
            words = line.split()
            if words[:1] == ["phase"]:
                if words[1] == "measure":
                    self.first = self._snapshot(more or {})
                elif words[1] == "drain":
                    self.last = self._snapshot(more or {})
                if words[1] == phase:
                    return True
            elif words[:1] == ["progress"]:
                self.fleet.bench.progress("%s: %s sent, %s ended" % (self.label, words[1], words[2]))
            else:
                self.diagnostics.append(line)
        return False

    def stop(self):
        """No order is sent any more; what is open then remains open in its report."""
        self.process.terminate()

    def finish(self, more=None):
        """Waits for the end; the load's report with the cost of the measured time."""
        self.wait_phase("end", more)
        output = self.process.stdout.read()
        code = self.process.wait()
        self.fleet.bench.children.remove(self.process)
        if code not in (0, 1) or not output.startswith("{"):
            raise BenchError("zvt-load ended with %d: %s" % (code, "".join(self.diagnostics)[-2000:]))
        report = json.loads(output)
        if self.first and self.last:
            report.update(between(self.first, self.last, report["completed_per_s"]))
        return report


def run_load(fleet, label, more=None, **options):
    """A whole load; its report."""
    return Load(fleet, label, **options).finish(more)


def read_trace(path):
    """What --trace wrote, [(due, ended, outcome)]: in UTC seconds, ended 0 when never."""
    orders = []
    with open(path) as file:
        for line in file:
            _, due, ended, outcome = line.split()
            orders.append((int(due) / 1e9, int(ended) / 1e9, outcome))
    return orders
