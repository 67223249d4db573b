"""A process that takes facts and delivers them, made to be killed: ``python -m tests.actors.delivery.victim URL FOLDER N FIRST``.

It publishes facts FIRST..N-1 of two tasks, prints the number of each as soon as the outbox has
it, and goes on delivering until the outbox is empty and its input is closed.
"""

import asyncio
import sys
from pathlib import Path

from actors.errors import StoreUnavailableError
from api.outbox import SqlOutboxStore
from tests.actors.delivery.support import facts, pusher, until


async def main(url: str, folder: Path, count: int, first: int) -> None:
    """Publish and deliver."""
    made = pusher(url, folder)
    await made.start()
    for i in range(first, count):
        while True:
            try:
                await made.publish([*facts(1, "a", i), *facts(1, "b", i)])
                break
            except StoreUnavailableError:
                await asyncio.sleep(0.1)
        print(i, flush=True)
    await until(lambda: not SqlOutboxStore(url).waiting(), 60)
    await asyncio.to_thread(sys.stdin.read)  # whoever means to kill it leaves its input open
    await made.stop()
    print("done", flush=True)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])))
