"""PyPI's aiohttp over WebSocket: connects again with the cursor of what it holds."""

import asyncio

import aiohttp

from lab import PAUSE_S, message, say, websocket_url


async def main():
    cursor = None
    async with aiohttp.ClientSession() as session:
        while True:
            try:
                async with session.ws_connect(websocket_url(cursor), compress=15) as socket:
                    say("open")
                    async for said in socket:
                        if said.type == aiohttp.WSMsgType.TEXT:
                            cursor = message(said.data)
                        else:
                            say("unasked", text=repr(said))
                    say("closed", code=socket.close_code or 1006)
            except (OSError, aiohttp.ClientError) as error:
                say("cut", why=repr(error))
            await asyncio.sleep(PAUSE_S)


asyncio.run(main())
