"""PyPI's httpx-sse: reads the stream; coming back with Last-Event-ID, after the stream's own `retry`, is up to its user."""

import asyncio
import json

import httpx
import httpx_sse

from lab import base, say


async def main():
    last_id, retry_ms = "", 1000
    async with httpx.AsyncClient(timeout=None) as client:
        while True:
            headers = {"last-event-id": last_id} if last_id else {}
            try:
                url = f"{base}/feed/sse?topic=all"
                async with httpx_sse.aconnect_sse(client, "GET", url, headers=headers) as stream:
                    say("open")
                    async for event in stream.aiter_sse():
                        last_id = event.id or last_id
                        if event.retry is not None:
                            retry_ms = event.retry
                            say("retry", ms=event.retry)
                        if event.event == "update":
                            say("update", text=event.data, id=event.id)
                        elif event.event == "reset":
                            say("reset", reason=json.loads(event.data)["reason"])
                        else:
                            say("unasked", text=repr(event))
                    say("cut", why="the stream ended")
            except httpx.HTTPError as error:
                say("cut", why=repr(error))
            await asyncio.sleep(retry_ms / 1000)


asyncio.run(main())
