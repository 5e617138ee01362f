"""What the scripts for Python share: the address, one line of JSON for everything heard, and the end with stdin."""

import json
import os
import sys
import threading

base = sys.argv[1]
PAUSE_S = 0.1


def say(kind, **heard):
    print(json.dumps({"kind": kind, **heard}), flush=True)


def message(text):
    """Notes one WebSocket message; returns the cursor that a new connection continues from."""
    said = json.loads(text)
    if "reset" in said:
        say("reset", reason=said["reset"]["reason"])
        return said["cursor"]
    say("update", text=text)
    return f"{said['epoch']}-{said['offset']}"


def websocket_url(cursor):
    since = f"&since={cursor}" if cursor else ""
    return f"{base.replace('http', 'ws')}/feed/websocket?topic=all{since}"


def end_with_stdin():
    sys.stdin.read()
    # The test is over, or gone: nothing is left to do in good order.
    os._exit(0)


threading.Thread(target=end_with_stdin, daemon=True).start()
