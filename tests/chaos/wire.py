"""What the chaos run knows of the wire: numbers of docs/wire.md, written down a second time on purpose.

Nothing here or in the other files of this folder comes from the code that is tested: a record is the msgpack array
[type id, field, ...], money and quantities are integers times 1e8, times are UTC nanoseconds."""
import io

import msgpack
import zmq

E8, MS, SECOND = 100_000_000, 1_000_000, 1_000_000_000

# events of the log
REQUESTED, VALIDATED, REJECTED, CREATED, ROUTED, SUBMITTED, ACCEPTED, EXECUTED = range(1, 9)
CANCEL_REQUESTED, CANCEL_REJECTED, CANCELED, EXPIRED, UNKNOWN, FAILED, COMPLETED = range(9, 16)
POSITION_UPDATED, HALTED, RESUMED, ALERT, STEP_FAILED, DEAD_LETTERED, STARTED = 20, 30, 31, 32, 40, 41, 50
ENDS = frozenset((REJECTED, CANCELED, EXPIRED, FAILED, COMPLETED))

# records
QUOTE, SIGNAL, SIGNAL_CANCEL, ACK, PLACE, PLACE_REPLY, HALT, COMMAND_REPLY = 100, 130, 131, 132, 140, 141, 144, 146
ORDER_SEND, LOG_BATCH = 172, 200

# enumerations
BUY, SELL, MARKET, LIMIT, GTC, IOC = 1, 2, 1, 2, 1, 2
WAIT_COMMITTED, WAIT_FILLED, STATE_FILLED = 1, 3, 8
OK, STALE, DUPLICATE, SERVICE_TIMEOUT, ORDER_EXPIRED = 1, 15, 16, 23, 55
TRY_AGAIN = frozenset((20, 21, 22))  # OVERLOADED, LOG_UNAVAILABLE, NOT_READY: nothing was done

NONE = bytes(16)
pack = msgpack.Packer(use_bin_type=True).pack


def unpack(frame):
    """Every record of a frame."""
    return msgpack.Unpacker(io.BytesIO(frame), raw=False, strict_map_key=False)


def terms(symbol, side, kind, tif, quantity, price=0, venue="", expires=0):
    return [symbol, side, kind, tif, False, quantity, price, 0, venue, expires]


def connect(context, kind, endpoints, *topics):
    """A socket that reconnects quickly and never waits: what cannot be sent now is sent again later by whoever cares."""
    opened = context.socket(kind)
    for option, value in ((zmq.LINGER, 0), (zmq.RECONNECT_IVL, 20), (zmq.RECONNECT_IVL_MAX, 100), (zmq.SNDHWM, 20000), (zmq.RCVHWM, 200000)):
        opened.setsockopt(option, value)
    if kind in (zmq.PUSH, zmq.DEALER):
        opened.setsockopt(zmq.IMMEDIATE, 1)
    for topic in topics:
        opened.subscribe(topic)
    for endpoint in endpoints.split(","):
        opened.connect(endpoint)
    return opened
