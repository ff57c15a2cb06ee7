#!/usr/bin/python3
"""A man in the middle between the orchestrator and Postgres, a process of its own, who can cut a connection while it
commits.

  pgproxy.py LISTEN_SOCKET SERVER_SOCKET     commands on stdin, one a line; what was done as JSON lines on stdout

  cut before      the next commit never reaches Postgres
  cut during      it is passed on and the connection cut at once: committed or not, nobody is told
  cut after       Postgres has committed; its answer is thrown away and the connection cut
  cut answered    the answer is passed on, then the connection is cut
  stall MS        the next commit is held back for so long, then passed on; "holding" is said when that begins

The orchestrator commits a batch as one query that ends with COPY .. FROM STDIN; COMMIT. So what makes Postgres commit
is the client's CopyDone, and the answer that counts holds the completion tag COMMIT."""
import json
import os
import selectors
import socket
import sys
import time

COPY_DONE = b"c\x00\x00\x00\x04"
COMMITTED = b"C\x00\x00\x00\x0bCOMMIT\x00"
CHUNK = 1 << 18


class Side:
    """One end of a connection: what it has sent last, to find a message that arrives in two pieces."""

    def __init__(self, opened, name):
        self.socket, self.name, self.peer, self.tail = opened, name, None, b""

    def holds(self, chunk, what):
        data = self.tail + chunk
        self.tail = data[-len(what) + 1:]
        return what in data


class Proxy:
    def __init__(self, listen, server):
        self.server, self.armed, self.selector = server, None, selectors.DefaultSelector()
        self.awaiting = None          # the client side whose commit was passed on, until its answer comes
        self.listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.listener.bind(listen)
        self.listener.listen(64)
        self.selector.register(self.listener, selectors.EVENT_READ, self.accept)
        self.selector.register(0, selectors.EVENT_READ, self.read_command)

    def accept(self):
        client, upstream = Side(self.listener.accept()[0], "client"), None
        try:
            connected = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            connected.connect(self.server)
            upstream = Side(connected, "server")
        except OSError:
            client.socket.close()  # Postgres is away: so are we
            return
        client.peer, upstream.peer = upstream, client
        for side in (client, upstream):
            self.selector.register(side.socket, selectors.EVENT_READ, side)

    def read_command(self):
        line = os.read(0, 4096).decode()
        if not line:
            sys.exit(0)  # the driver is gone
        words = line.splitlines()[-1].split()
        self.armed = None if words[0] == "off" else (words[0], words[1])

    def close(self, side):
        for end in (side, side.peer):
            try:
                self.selector.unregister(end.socket)
            except (KeyError, ValueError):
                continue
            end.socket.close()
        if self.awaiting in (side, side.peer):
            self.awaiting = None

    def say(self, is_, what):
        print(json.dumps({"is_": is_, "what": what, "ns": time.monotonic_ns()}), flush=True)

    def tell(self, what):
        self.armed = None
        self.say("cut", what)

    def on_commit(self, client, chunk):
        """The client asks for the commit. True when the chunk is to be passed on as usual."""
        what, argument = self.armed
        if what == "stall":
            self.say("holding", what)
            time.sleep(int(argument) / 1000)  # everything of this link stands still meanwhile
            self.tell(f"stall {argument}")
            return True
        if argument == "before":
            self.close(client)
            self.tell("cut before")
            return False
        if argument == "during":
            client.peer.socket.sendall(chunk)
            self.close(client)
            self.tell("cut during")
            return False
        self.awaiting = client
        return True

    def on_answer(self, server, chunk):
        """Postgres has committed."""
        self.awaiting = None
        answered = self.armed is not None and self.armed[1] == "answered"
        if answered:
            server.peer.socket.sendall(chunk)
        self.close(server)
        self.tell("cut answered" if answered else "cut after")

    def on_data(self, side):
        try:
            chunk = side.socket.recv(CHUNK)
            if not chunk:
                raise OSError("closed")
            if self.armed and side.name == "client" and side.holds(chunk, COPY_DONE) and not self.on_commit(side, chunk):
                return
            if self.awaiting is side.peer and side.holds(chunk, COMMITTED):
                self.on_answer(side, chunk)
                return
            side.peer.socket.sendall(chunk)
        except OSError:
            self.close(side)

    def run(self):
        while True:
            for key, _ in self.selector.select():
                if callable(key.data):
                    key.data()
                elif key.fileobj.fileno() >= 0:
                    self.on_data(key.data)


if __name__ == "__main__":
    Proxy(sys.argv[1], sys.argv[2]).run()
