"""The fleet under test: a home of its own, its processes as the kernel and s6 know them, its log and its ledgers."""
import json
import os
import re
import signal
import subprocess
import time

HERE = os.path.dirname(os.path.realpath(__file__))
CHECKOUT = os.path.dirname(os.path.dirname(HERE))
VENUES = ("alpha", "beta")
# Every process of ours, in the order in which an order meets them.
PROCESSES = ("orchestrator", "risk", "executor", "gateway-alpha", "gateway-beta", "venue-alpha", "venue-beta", "portfolio",
             "replayer", "checkpointer", "maker")
ORCHESTRATORS = ("orchestrator", "orchestrator-2")
STANDBY = "standby"  # as a victim: whichever of these waits, and "orchestrator" is the one that works then
READY_SECONDS = 20
CHILD_ID = re.compile(rb"[0-9a-f]{32}-\d+-\d+")  # a client_order_id, as its text stands in a ledger


class Fleet:
    def __init__(self, base, binaries, seed, standby):
        self.base, self.binaries, self.home, self.standby = base, binaries, os.path.join(base, "home"), standby
        self.orchestrators = ORCHESTRATORS if standby else ORCHESTRATORS[:1]
        self.config = os.path.join(base, "fleet.zpl")
        with open(os.path.join(HERE, "fleet.zpl")) as template, open(self.config, "w") as made:
            made.write(template.read().replace("SEED", str(seed)).replace("STANDBY", "yes" if standby else "no"))
        self.env = {}
        self.sighted = dict.fromkeys(VENUES, 0)  # how many bytes of each ledger were searched

    def command(self, *words, may_fail=False):
        done = subprocess.run([f"{CHECKOUT}/run/fleet", "--home", self.home, *words], capture_output=True, text=True,
                              stdin=subprocess.DEVNULL, env=os.environ | {"ZVT_BIN": self.binaries})
        if done.returncode and not may_fail:
            raise SystemExit(f"fleet {' '.join(words)}: exit code {done.returncode}\n{done.stdout}{done.stderr}")
        return done.stdout

    def up(self):
        self.command("up", "--config", self.config)
        lines = self.command("env").splitlines()
        self.env = {line.split("=", 1)[0].removeprefix("export "): line.split("=", 1)[1].strip("'") for line in lines}
        self.database = self.env["DATABASE_URL"]
        self.pg_socket = os.path.join(self.database.split("host=")[1].split("&")[0], ".s.PGSQL.5432")

    def repair(self):
        """Without its supervisor the fleet counts as stopped: `up` ends what was left and starts everything anew."""
        self.command("up", "--config", self.config)
        self.put_proxy(self.proxy_folder)

    def down(self):
        self.command("down", "--wipe", "--yes", may_fail=True)

    def put_proxy(self, folder):
        """The orchestrators connect to Postgres by another way from their next start on. Their service folders are made anew
        by the next `up`, so this ends with the fleet."""
        self.proxy_folder = folder
        other = self.database.replace(os.path.dirname(self.pg_socket), folder)
        for name in self.orchestrators:
            run = os.path.join(self.service(name), "run")
            with open(run) as script:
                lines = script.read().splitlines()
            lines.insert(len(lines) - 1, f"export DATABASE_URL='{other}'")
            with open(run, "w") as script:
                script.write("\n".join(lines) + "\n")
            self.command("restart", name)

    # ---- processes ----
    def holder(self):
        """The orchestrator that has the lease."""
        return self.sql("select holder from writer_lease")[0][0]

    def who(self, victim):
        """The service that a victim is at this moment."""
        if not self.standby or victim not in ("orchestrator", STANDBY):
            return victim
        works = self.holder()
        return works if victim == "orchestrator" else next(name for name in ORCHESTRATORS if name != works)

    def service(self, name):
        return os.path.join(self.home, "s6/services", name)

    def state(self, name):
        """(pid, ready) of a service; pid is 0 while it is down."""
        done = subprocess.run(["s6-svstat", "-o", "pid,ready", self.service(name)], capture_output=True, text=True)
        words = done.stdout.split()
        return (max(0, int(words[0])), words[1] == "true") if len(words) == 2 else (0, False)

    def state_text(self, name):
        """As s6 tells it, for people."""
        return subprocess.run(["s6-svstat", self.service(name)], capture_output=True, text=True).stdout.strip()

    def pid(self, name):
        """Waits for the process if it is being started just now; 0 if it does not come."""
        end = time.monotonic() + READY_SECONDS
        while time.monotonic() < end:
            pid = self.state(name)[0]
            if pid:
                return pid
            time.sleep(0.01)
        return 0

    def parent(self, pid):
        """0 when the process has gone."""
        return int(status_of(pid).get("PPid", 0))

    def supervisor(self, name):
        """The s6-supervise of a service."""
        for _ in range(100):
            pid = self.parent(self.pid(name))
            if title_of(pid).startswith("s6-supervise"):
                return pid
        raise SystemExit(f"chaos: {name} has no s6-supervise")

    def svscan(self):
        """The supervisor of the supervisors."""
        with open(os.path.join(self.home, "s6/pid")) as file:
            pid = int(file.read())
        if not title_of(pid).startswith("s6-svscan"):
            raise SystemExit(f"chaos: process {pid} is not s6-svscan but \"{title_of(pid)}\"")
        return pid

    def age_ms(self, pid):
        """How long a process has been running; a large number when it has gone."""
        try:
            with open(f"/proc/{pid}/stat") as line:
                started = int(line.read().rsplit(") ", 1)[1].split()[19]) / os.sysconf("SC_CLK_TCK")
        except (FileNotFoundError, ProcessLookupError):
            return 1e9
        return (time.clock_gettime(time.CLOCK_BOOTTIME) - started) * 1000

    def backends(self):
        """Children of the postmaster with what they are called, in a stable order."""
        postmaster, found = self.state("postgres")[0], []
        for name in os.listdir("/proc"):
            if name.isdigit() and postmaster and self.parent(int(name)) == postmaster:
                found.append((title_of(int(name)), int(name)))
        return sorted(found)

    def kill(self, pid, number=signal.SIGKILL):
        """False when it was gone already. Only pids that this fleet's supervisor or its postmaster named come here."""
        if pid <= 1:
            return False
        try:
            os.kill(pid, number)
            return True
        except ProcessLookupError:
            return False

    # ---- the log and the ledgers ----
    def sql(self, query):
        """Rows of a query, each a list of texts, through a role that may only read and append."""
        done = subprocess.run(["psql", "-XAtq", "-F", "\t", "-d", self.database, "-c", query], capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError(done.stderr.strip())
        return [line.split("\t") for line in done.stdout.splitlines()]

    def copy(self, query):
        """Streams the rows of a query, which must not hold tabs or backslashes."""
        child = subprocess.Popen(["psql", "-Xq", "-d", self.database, "-c", f"copy ({query}) to stdout"], stdout=subprocess.PIPE, text=True)
        with child.stdout as rows:
            for line in rows:
                yield line[:-1].split("\t")
        if child.wait():
            raise RuntimeError(f"the log could not be read: psql ended with {child.returncode}")

    def ledger(self, venue, skip):
        """Reports in a venue's own ledger from line `skip` on, as the venue's binary prints them."""
        child = subprocess.Popen([f"{self.binaries}/zvt-venue", "--name", f"venue-{venue}", "--venue", venue, "--dump-ledger"],
                                 stdout=subprocess.PIPE, env=os.environ | self.env)
        with child.stdout as lines:
            for number, line in enumerate(lines):
                if number >= skip and b'"venue_seq"' in line:
                    yield json.loads(line)
        if child.wait():
            raise RuntimeError(f"the ledger of {venue} could not be read")

    def sight(self):
        """Which orders stand in the ledgers by now that did not at the last call, and what the log had committed a moment
        later: (venue -> client order ids, seq). The ids are found in the bytes of the files, whatever else stands there."""
        found = {}
        for venue in VENUES:
            with open(os.path.join(self.home, "state", f"venue-{venue}.ledger"), "rb") as file:
                file.seek(self.sighted[venue])
                data = file.read().rstrip(b"\0")  # its space is allocated ahead
            found[venue] = {match.decode() for match in CHILD_ID.findall(data)}
            # The last record may be half written: its bytes are searched again.
            self.sighted[venue] += max(0, len(data) - 4096)
        return found, int(self.sql("select coalesce(max(last_seq), 0) from event_batches")[0][0])

    def tool(self, program, *words):
        """The JSON that one of the fleet's binaries prints; {} when it does not."""
        done = subprocess.run([f"{self.binaries}/{program}", *words], capture_output=True, text=True, env=os.environ | self.env)
        try:
            return json.loads(done.stdout)
        except ValueError:
            return {}

    def states(self):
        """Processes whose live state is not the fold of the log, by the digests they give at a barrier."""
        seq, wrong = str(self.tool("zvt-monitor", "barrier", "--json").get("seq", 0)), []
        for name, program in (*((name, "zvt-orchestrator") for name in self.orchestrators), ("risk", "zvt-risk"), ("portfolio", "zvt-portfolio")):
            folded, end = self.tool(program, "--name", name, "--fold", seq).get("digest"), time.monotonic() + 10
            live = None
            while live is None and time.monotonic() < end:
                live = self.tool("zvt-monitor", "digest", name, seq).get("digest")
            if live is None or live != folded:
                wrong.append(f"{name} at seq {seq} is {live}, folded {folded}")
        return wrong

    def verify(self):
        """Names of the failed checks of `fleet verify`."""
        output = self.command("verify", "--json", may_fail=True)
        try:
            return [f"{c['check']}: {c['detail']}" for c in json.loads(output)["checks"] if not c["ok"]]
        except (ValueError, KeyError):
            return [f"fleet verify said nothing usable: {output[:200]}"]


def status_of(pid):
    try:
        with open(f"/proc/{pid}/status") as lines:
            return dict(line.rstrip("\n").split(":\t", 1) for line in lines if ":\t" in line)
    except (FileNotFoundError, ProcessLookupError):
        return {}


def title_of(pid):
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as line:
            return line.read().replace(b"\0", b" ").decode(errors="replace").strip()
    except (FileNotFoundError, ProcessLookupError):
        return ""
