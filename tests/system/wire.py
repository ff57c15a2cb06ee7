"""wire -- the wire protocol of docs/wire.md for programs in Python, without a line of the fleet's own code.

A record is the msgpack array [type id, ..]; quantities are integers times 1e8; times are monotonic nanoseconds unless the
name says utc. Importing it does nothing.

Environment  ZVT_RUNTIME: the folder of the fleet's sockets. ZVT_TEST_SLOW: how many times slower the clock of a slow build
runs; 1 without it."""
import io
import os
import time

import msgpack
import zmq

SLOW = float(os.environ.get("ZVT_TEST_SLOW", "1"))
E8, SECOND_NS = 100_000_000, 1_000_000_000
HELLO, ERROR, SIGNAL, ACK, PLACE, BARRIER, COMMAND_REPLY, ORDERS_QUERY, POSITIONS_QUERY = 120, 122, 130, 132, 140, 145, 146, 147, 149
CONTROL, LOG_BATCH, LOG_TIP, REPLAY_REQUEST = 152, 200, 201, 202
BUY, SELL, MARKET, IOC = 1, 2, 1, 2
OK, DUPLICATE, OVERLOADED, LOG_UNAVAILABLE, NOT_READY, SIGNAL_RATE = 1, 16, 20, 21, 22, 79


def wait_until(seconds, condition, every_s=0.02):
    """True as soon as the condition holds; the clock of a slow build runs slower."""
    end = time.monotonic() + seconds * SLOW
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(every_s)
    return True


def endpoint(name):
    return f"ipc://{os.environ['ZVT_RUNTIME']}/{name}"


def connect(context, kind, name, topics=(), hwm=100_000):
    return connect_to(context, kind, endpoint(name), topics, hwm)


def connect_to(context, kind, where, topics=(), hwm=100_000):
    opened = context.socket(kind)
    opened.setsockopt(zmq.LINGER, 0)
    opened.setsockopt(zmq.SNDHWM, hwm)
    opened.setsockopt(zmq.RCVHWM, hwm)
    for topic in topics:
        opened.subscribe(topic)
    opened.connect(where)
    return opened


def records(frame):
    return list(msgpack.Unpacker(io.BytesIO(frame), raw=False, strict_map_key=False))
