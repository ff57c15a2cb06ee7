"""watch -- runs zvt-watch, an observer of the log that is not busy with anything else."""

import json
import signal
import subprocess

from control import ask
from fleet import BenchError


class Watch:
    """Counts from its making until finish(); its latencies begin with measure()."""

    def __init__(self, fleet, *words):
        self.fleet = fleet
        self.process = subprocess.Popen([fleet.bench.binary("zvt-watch"), *words], env=fleet.environment(), text=True,
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        fleet.bench.children.append(self.process)
        line = ""
        for line in self.process.stderr:
            if line.startswith("watching"):
                return
        raise BenchError("zvt-watch did not start: %s" % line)

    def measure(self):
        """The warm-up is over."""
        ask(self.fleet, "watch", "measure")

    def finish(self):
        """What it saw."""
        self.process.send_signal(signal.SIGTERM)
        output, errors = self.process.communicate(timeout=30)
        self.fleet.bench.children.remove(self.process)
        if not output.startswith("{"):
            raise BenchError("zvt-watch failed: %s" % errors)
        return json.loads(output)
