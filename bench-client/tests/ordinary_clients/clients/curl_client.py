"""curl: a stream read from `curl -N`, or a poll per curl. What it is asked to do is the second argument: see `main`."""

import json
import subprocess
import sys
import time

from lab import PAUSE_S, base, say

POLL_INTERVAL_S = 0.05


def stream(*options):
    """Server-Sent Events, and back with Last-Event-ID after the stream's own `retry`."""
    last_id, retry_ms = "", 1000
    while True:
        resume = ["-H", f"Last-Event-ID: {last_id}"] if last_id else []
        command = ["curl", "-sS", "-N", *options, *resume, f"{base}/feed/sse?topic=all"]
        curl = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        fields = {}
        for line in curl.stdout:
            # A line that was cut has no end, and an event that was cut has no empty line behind it.
            if line == "\n":
                last_id = fields.get("id", last_id)
                if fields.get("event") == "update":
                    say("update", text=fields["data"], id=last_id)
                elif fields.get("event") == "reset":
                    say("reset", reason=json.loads(fields["data"])["reason"])
                elif fields:
                    say("unasked", text=repr(fields))
                fields = {}
            elif line.startswith("retry: ") and line.endswith("\n"):
                retry_ms = int(line[len("retry: ") :])
                say("retry", ms=retry_ms)
            elif not line.startswith(":"):
                name, _, value = line.rstrip("\n").partition(": ")
                fields[name] = value
        _, error = curl.communicate()
        say("cut", why=f"curl ended with {curl.returncode}: {error.strip()}")
        time.sleep(retry_ms / 1000)


def poll(transport, pause_s):
    """A request after the other; each says what is held twice, as cursor and as ETag."""
    cursor = ""
    while True:
        held = ["-H", f'If-None-Match: "{cursor}"'] if cursor else []
        since = f"&since={cursor}" if cursor else ""
        url = f"{base}/feed/{transport}?topic=all&wait_ms=5000{since}"
        command = ["curl", "-sS", "-w", "\n%{http_code}", *held, url]
        curl = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True)
        body, _, status = curl.stdout.rpartition("\n")
        if curl.returncode != 0:
            say("cut", why=f"curl ended with {curl.returncode}: {curl.stderr.strip()}")
            time.sleep(PAUSE_S)
        elif status == "304":
            say("not-modified")
        elif status == "200":
            # Updates as they were encoded: only cut out, not read and written again.
            answer = json.loads(body)
            if "reset" in answer:
                say("reset", reason=answer["reset"]["reason"])
            for text in encoded(body, len(answer["updates"])):
                say("update", text=text)
            cursor = answer["cursor"]
        else:
            say("unasked", text=f"status {status}: {body}")
        time.sleep(pause_s)


def encoded(body, count):
    """The texts of an answer's updates."""
    decoder, at = json.JSONDecoder(), body.index("[") + 1
    for _ in range(count):
        _, end = decoder.raw_decode(body, at)
        yield body[at:end]
        at = end + 1


def main(what):
    if what == "sse":
        stream()
    elif what == "sse-h2c":
        stream("--http2-prior-knowledge")
    elif what == "long-poll":
        poll(what, 0)
    else:
        poll(what, POLL_INTERVAL_S)


main(sys.argv[2])
