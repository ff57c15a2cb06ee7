"""garbage -- what strangers can send to a socket: frames that are not what it expects, and bytes that are not even ZMTP.

Used by the scenarios on the wire. Everything here is allowed to be refused, cut off or ignored; none of it may disturb."""
import contextlib
import os
import random
import socket
import stat
import time

import msgpack
import zmq

HELLO, PLACE = 120, 140
BOMB = bytes.fromhex("dd10000000")  # an array of 268 million elements in five bytes
GREETING = bytes.fromhex("ff00000000000000017f0300") + b"NULL".ljust(20, b"\0") + bytes(32)  # of ZMTP 3.0
PUBLISHERS = ("events", "market", "feed")


def command(body):
    return bytes([4, len(body)]) + body


def ready(kind):
    """The command that ends a handshake, of a peer of this socket type."""
    return command(b"\x05READY\x0bSocket-Type" + len(kind).to_bytes(4, "big") + kind)


def sockets():
    """Names of all the sockets that the fleet has bound."""
    runtime = os.environ["ZVT_RUNTIME"]
    return sorted(name for name in os.listdir(runtime) if stat.S_ISSOCK(os.stat(f"{runtime}/{name}").st_mode))


def frames(large=True):
    """Frames that are not what a socket expects. The last ones are larger than a message may be, or lie about it."""
    rng = random.Random(7)
    hello = msgpack.packb([HELLO, 10, "stranger", 1, 0, 0, False])
    terms = ["BTC/USDT", 1, 1, 2, False, 1000000, 0, 0, "", 0]
    place = msgpack.packb([PLACE, "", "u", "s", "main", terms, 3, 1000])
    yield b""
    yield b"\x00"
    yield b"hello?"
    yield BOMB
    yield bytes.fromhex("dbffffffff")            # a text of 4 GiB
    yield bytes.fromhex("c6ffffffff00")          # four GiB of bytes
    yield b"\x91" * 20000                        # arrays in arrays
    yield msgpack.packb([65535, 1, 2])           # an unknown record
    yield msgpack.packb([PLACE])                 # a record without its fields
    yield msgpack.packb([PLACE, 1, 2, 3, 4, 5])  # fields of other types
    yield msgpack.packb({"type": "place"})
    yield msgpack.packb([HELLO, 10, "x" * 5000, 1, 0, 0, False])
    yield hello + BOMB                           # a good record, then none
    for record in (hello, place):
        for length in range(1, len(record), 7):
            yield record[:length]
    for _ in range(200):
        yield rng.randbytes(rng.randrange(1, 400))
    if large:
        yield b"\xc0" * (5 << 20)


def kinds_for(name):
    """The socket types that can talk to it."""
    return [zmq.PUSH] if name == "signals" else [zmq.XSUB] if name.split(".")[0] in PUBLISHERS else [zmq.DEALER, zmq.REQ]


def send_frames(context, name, kind, slowly):
    opened = context.socket(kind)
    opened.setsockopt(zmq.LINGER, 200)  # what waits in our own queue leaves before the socket is gone
    opened.setsockopt(zmq.SNDTIMEO, 2000 if slowly else 0)
    if kind == zmq.REQ:
        opened.setsockopt(zmq.REQ_RELAXED, 1)  # asks again without having heard the answer
    opened.connect(f"ipc://{os.environ['ZVT_RUNTIME']}/{name}")
    for frame in frames(large=slowly):
        with contextlib.suppress(zmq.ZMQError):  # a full queue, or a connection that was closed on us: the other side's right
            opened.send(frame)
    if kind == zmq.DEALER:
        for parts in ([b""] * 50, [b"", b"", BOMB], [b"a", b"b", b"c"]):
            with contextlib.suppress(zmq.ZMQError):
                opened.send_multipart(parts)
    opened.close()


def openings():
    """What a connection may begin with, and then not go on."""
    kind = b"DEALER"
    yield b""
    yield b"GET / HTTP/1.0\r\n\r\n"
    yield b"\xff" * 64
    yield random.Random(3).randbytes(4096)
    yield GREETING[:1]
    yield GREETING[:10]                                                # half a greeting
    yield GREETING[:12] + b"CURVE".ljust(20, b"\0") + bytes(32)        # another mechanism
    yield GREETING                                                     # a greeting and no command
    yield GREETING + command(b"\x05READY\x0bSocket-Type\xff\xff\xff\xff")  # a property of 4 GiB
    yield GREETING + command(b"\x05ERROR\xff")
    yield GREETING + ready(b"NOSUCHTYPE")
    for good in (kind, b"PUSH", b"SUB"):
        yield GREETING + ready(good) + b"\x02" + (1 << 62).to_bytes(8, "big") + b"x"  # a frame of 4 EiB
        yield GREETING + ready(good) + b"\x02" + (4 << 20).to_bytes(8, "big") + b"x"  # a frame of 4 MiB that never comes
        yield GREETING + ready(good) + b"\x00\xff" + b"y" * 10                        # a frame that stops in the middle
        yield GREETING + ready(good) + b"\xf8\x01z"                                   # flags that do not exist
        yield GREETING + ready(good) + command(b"\x09SUBSCRIBE") + command(b"\x04PING\x00\x00")


def connect_raw(name, data):
    """A connection of plain bytes, left open for the caller to close."""
    opened = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    opened.settimeout(1)
    with contextlib.suppress(OSError):
        opened.connect(f"{os.environ['ZVT_RUNTIME']}/{name}")
        opened.send(data)
    return opened


def throw(context, name, slowly=False):
    """All of it at one socket; `slowly`: also what is large, and waiting where the other side is busy."""
    for kind in kinds_for(name):
        send_frames(context, name, kind, slowly)
    held = [connect_raw(name, data) for data in openings()]
    for opened in held:
        opened.close()


def hold_open(names, seconds):
    """Connections to every socket that never say anything, or begin and never go on, for so long."""
    held = [connect_raw(name, data) for name in names for data in openings()]
    time.sleep(seconds)  # that they are held is the point
    for opened in held:
        opened.close()
    return len(held)
