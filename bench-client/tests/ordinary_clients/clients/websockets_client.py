"""PyPI's websockets: connects again with the cursor of what it holds."""

import asyncio

import websockets

from lab import PAUSE_S, message, say, websocket_url


async def main():
    cursor = None
    while True:
        try:
            # It offers permessage-deflate.
            async with websockets.connect(websocket_url(cursor)) as socket:
                say("open")
                try:
                    while True:
                        text = await socket.recv()
                        if isinstance(text, str):
                            cursor = message(text)
                        else:
                            say("unasked", text=repr(text))
                except websockets.ConnectionClosed as closed:
                    say("closed", code=closed.rcvd.code if closed.rcvd else 1006)
        except (OSError, websockets.WebSocketException) as error:
            say("cut", why=repr(error))
        await asyncio.sleep(PAUSE_S)


asyncio.run(main())
