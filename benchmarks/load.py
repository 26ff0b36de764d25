"""A load of HTTP POSTs on loopback: at a steady rate, or as many as go."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field

CONNECTIONS = 16


@dataclass(slots=True)
class Load:
    """`seconds` of each answer with a 2xx; `refused` counts every other outcome."""

    took: float = 0.0
    seconds: list[float] = field(default_factory=list)
    refused: int = 0

    @property
    def rate(self) -> float:
        return len(self.seconds) / self.took

    def percentile(self, share: float) -> float:
        """Milliseconds."""
        ordered = sorted(self.seconds)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))] * 1000


def post_at_rate(port: int, request: bytes, rate: int, duration: float) -> Load:
    """An open load: each request has its time, and a late start counts as waiting."""
    return asyncio.run(_run(port, request, duration, rate))


def post_flat_out(port: int, request: bytes, duration: float) -> Load:
    """A closed load: each connection sends the next request when the last is answered."""
    return asyncio.run(_run(port, request, duration, None))


async def _run(port: int, request: bytes, duration: float, rate: int | None) -> Load:
    load = Load()
    begun = time.perf_counter()
    due: asyncio.Queue[float] = asyncio.Queue()
    senders = [
        asyncio.create_task(_send(port, request, load, due if rate else None, begun + duration))
        for _ in range(CONNECTIONS)
    ]
    for number in range(int(duration * rate) if rate else 0):
        moment = begun + number / (rate or 1)
        await asyncio.sleep(max(0.0, moment - time.perf_counter()))
        due.put_nowait(moment)
    if rate:
        await due.join()
        for sender in senders:
            sender.cancel()
    await asyncio.gather(*senders, return_exceptions=True)
    load.took = time.perf_counter() - begun
    return load


async def _send(
    port: int, request: bytes, load: Load, due: asyncio.Queue[float] | None, end: float
) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        while due is not None or time.perf_counter() < end:
            moment = await due.get() if due else time.perf_counter()
            writer.write(request)
            head = await reader.readuntil(b"\r\n\r\n")
            length = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
            await reader.readexactly(length)
            if head[9:10] == b"2":
                load.seconds.append(time.perf_counter() - moment)
            else:
                load.refused += 1
            if due:
                due.task_done()
            if b"connection: close" in head.lower():
                writer.close()
                reader, writer = await asyncio.open_connection("127.0.0.1", port)
    finally:
        writer.close()
