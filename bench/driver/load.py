"""load -- runs zvt-load against a fleet, and measures the processes meanwhile."""

import json
import subprocess

from fleet import BenchError
from measure import Snapshot, between


class Load:
    """A load under way. What it costs is measured from shortly before the end of its warm-up to the end of the measured time."""

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
        self.pids = {**fleet.pids(), "load": self.process.pid}
        self.first = self.last = None
        self.diagnostics = []
        fleet.bench.children.append(self.process)

    def wait_phase(self, phase):
        """Reads what the load says until a phase begins; False when the load has ended before."""
        for line in self.process.stderr:
            words = line.split()
            if words[:1] == ["phase"]:
                if words[1] == "warm":
                    self.first = Snapshot(self.fleet, self.pids)
                elif words[1] == "drain":
                    self.last = Snapshot(self.fleet, self.pids).with_memory()
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

    def finish(self):
        """Waits for the end; the load's report with the cost of the measured time."""
        self.wait_phase("end")
        output = self.process.stdout.read()
        code = self.process.wait()
        self.fleet.bench.children.remove(self.process)
        if code not in (0, 1) or not output.startswith("{"):
            raise BenchError("zvt-load ended with %d: %s" % (code, "".join(self.diagnostics)[-2000:]))
        report = json.loads(output)
        if self.first and self.last:
            report.update(between(self.first, self.last, report["completed_per_s"]))
        return report


def run_load(fleet, label, **options):
    """A whole load; its report."""
    return Load(fleet, label, **options).finish()


def lost_of(report, resends=False):
    """Orders that left the load and never ended, answered or not. A signal that the load's own socket refused was never
    sent: beyond what the fleet takes, that is the sender's to do again. There an answer that is missing may also be a refusal that
    was dropped, which the sender would ask for again, unless this load `resends`; who was told of an order has to see its end."""
    return report["lost"] + (report["unanswered"] - report["unsent"] if resends or not report["refused"] else 0)


def read_trace(path):
    """What --trace wrote, [(due, ended, outcome)]: in UTC seconds, ended 0 when never."""
    orders = []
    with open(path) as file:
        for line in file:
            _, due, ended, outcome = line.split()
            orders.append((int(due) / 1e9, int(ended) / 1e9, outcome))
    return orders
