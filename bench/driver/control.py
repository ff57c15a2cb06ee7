"""control -- asks a process of a fleet something on its control socket."""

import json

import msgpack
import zmq
from fleet import BenchError

CONTROL_REQUEST = 152


def ask(fleet, name, command):
    """The process's answer to a command without an argument."""
    socket = zmq.Context.instance().socket(zmq.REQ)
    socket.setsockopt(zmq.LINGER, 0)
    socket.setsockopt(zmq.RCVTIMEO, 5000)
    try:
        socket.connect("ipc://%s/control.%s" % (fleet.env["ZVT_RUNTIME"], name))
        socket.send(msgpack.packb([CONTROL_REQUEST, command, ""]))
        return json.loads(msgpack.unpackb(socket.recv())[2])
    except zmq.ZMQError as error:
        raise BenchError("%s does not answer on its control socket: %s" % (name, error)) from error
    finally:
        socket.close()
