"""fleet -- a fleet of its own for the benchmark: the real processes by run/fleet, in a temporary home.

The fleet file has no added latency, no smallest notional, no order rate and large balances, so that nothing but the
machine is the limit. Database settings are the ones every fleet has (fsync and synchronous_commit on).
"""

import os
import shutil
import subprocess
import time

INSTRUMENT = """    {symbol}
        tick = {tick}
        lot = 0.00001
        min_notional = 0
        price = {price}
        volatility = {volatility}
        max_quantity = 100
        max_position = 100000000
"""
VENUE = """    {name}
        maker_fee = 0.0001
        taker_fee = 0.0002
        latency_ms = 0
        depth = {depth}
        spread = 1
        replay = {replay}
        balances
            USDT = 10000000000
"""
KNOWN_SYMBOLS = [("BTC/USDT", 60000, 0.01), ("ETH/USDT", 2500, 0.01), ("SOL/USDT", 150, 0.001)]


DATABASE_PATIENCE_S = 30
PSQL_NOT_CONNECTED = 2  # exit code


class BenchError(Exception):
    """The benchmark cannot go on; its text says why."""


def symbols_of(count):
    """The first `count` instruments: (symbol, price, tick)."""
    made = [("S%03d/USDT" % n, 100, 0.001) for n in range(max(0, count - len(KNOWN_SYMBOLS)))]
    return (KNOWN_SYMBOLS + made)[:count]


def fleet_file(symbols=3, venues=("alpha", "beta"), step_ms=100, depth=10, volatility=0.3, orders_per_s=1000000):
    """Text of a fleet file."""
    text = "fleet\n    name = bench\n    shard = 0\nmarket\n    seed = 42\n    step_ms = %d\ninstruments\n" % step_ms
    for symbol, price, tick in symbols_of(symbols):
        text += INSTRUMENT.format(symbol=symbol, price=price, tick=("%.3f" % tick), volatility=volatility)
    text += "venues\n"
    for name in venues:
        text += VENUE.format(name=name, depth=depth, replay="yes" if name == venues[0] else "no")
        for symbol, _, _ in symbols_of(symbols):
            text += "            %s = 1000000000\n" % symbol.split("/")[0]
    text += "risk\n    max_notional = 1000000000\n    price_collar = 0.5\n    max_orders_per_second = %d\n    allow_short = yes\n" % orders_per_s
    return text


class Fleet:
    """One running fleet. Use `with`: it is stopped and deleted at the end."""

    def __init__(self, bench, name, **shape):
        self.bench = bench
        self.shape = shape
        self.home = os.path.join(bench.folder, name)
        self.env = {}

    def __enter__(self):
        self._up()
        return self

    def reshape(self, **shape):
        """Stops it and goes on with another fleet file, which may have more than the one before."""
        self.command("down")
        self.shape = shape
        self._up()

    def _up(self):
        file = self.home + ".zpl"
        with open(file, "w") as out:
            out.write(fleet_file(**self.shape))
        self.bench.say("starting a fleet")
        self.command("up", "--config", file, "--no-strategies", "--no-install")
        for line in self.command("env").splitlines():
            name, value = line[len("export "):].split("=", 1)
            self.env[name] = value.strip("'")

    def __exit__(self, *_):
        subprocess.run([self.bench.fleet_script, "--home", self.home, "down", "--wipe", "--yes"], env=self.bench.env,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
        shutil.rmtree(self.home, ignore_errors=True)

    # ---- commands ----
    def command(self, *words):
        """run/fleet; its output."""
        done = subprocess.run([self.bench.fleet_script, "--home", self.home, *words], env=self.bench.env, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
        if done.returncode != 0:
            raise BenchError("run/fleet %s failed:\n%s" % (" ".join(words), done.stdout[-2000:]))
        return done.stdout

    def environment(self):
        """For programs that join the fleet."""
        return {**self.bench.env, **self.env}

    def run(self, program, *words, check=True, **more):
        """A program of the build, joined to the fleet; its output."""
        done = subprocess.run([self.bench.binary(program), *words], env={**self.environment(), **more}, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
        if check and done.returncode != 0:
            raise BenchError("%s %s failed (%d): %s" % (program, " ".join(words), done.returncode, done.stderr[-2000:]))
        return done.stdout

    # ---- database ----
    def owner_dsn(self):
        """The role that may make tables."""
        return self.env["DATABASE_URL"].replace("user=zvt_app", "user=zvt")

    def sql(self, statement, owner=False):
        """First column of the first row, as text. Waits for a database that has just been killed."""
        dsn = self.owner_dsn() if owner else self.env["DATABASE_URL"]
        env = {name: value for name, value in self.bench.env.items() if not name.startswith("PG")}
        end = time.monotonic() + DATABASE_PATIENCE_S
        while True:
            done = subprocess.run(["psql", "-X", "-At", "-v", "ON_ERROR_STOP=1", "-d", dsn, "-c", statement], env=env, text=True,
                                  stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
            if done.returncode == 0:
                return done.stdout.strip()
            if done.returncode != PSQL_NOT_CONNECTED or time.monotonic() > end:
                raise BenchError("SQL failed: %s\n%s" % (statement, done.stderr))
            time.sleep(0.1)

    # ---- processes ----
    def _service(self, name):
        return os.path.join(self.home, "s6", "services", name)

    def services(self):
        """Names of the supervised processes."""
        return sorted(os.listdir(os.path.join(self.home, "s6", "services")))

    def pid(self, name):
        """Process id, or 0 while it is down."""
        done = subprocess.run(["s6-svstat", "-o", "pid", self._service(name)], text=True, stdout=subprocess.PIPE,
                              stderr=subprocess.DEVNULL, check=False)
        text = done.stdout.strip()
        return int(text) if text.isdigit() else 0

    def pids(self):
        """{name: pid} of what runs."""
        found = {name: self.pid(name) for name in self.services()}
        return {name: pid for name, pid in found.items() if pid > 0}

    def stop(self, *names):
        """Stops services until start() and waits for their end."""
        for name in names:
            subprocess.run(["s6-svc", "-d", "-wD", "-T", "20000", self._service(name)], check=True)

    def start(self, *names):
        """Starts services and waits until they are ready; the follower of a long log may take minutes."""
        for name in names:
            subprocess.run(["s6-svc", "-u", self._service(name)], check=True)
        for name in names:
            subprocess.run(["s6-svwait", "-U", "-t", "600000", self._service(name)], check=True)

    def wait_trading(self):
        """Returns once orders are taken."""
        self.run("zvt-monitor", "wait-ready", "--timeout", "300")
