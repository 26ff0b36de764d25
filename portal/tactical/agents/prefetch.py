"""Taking from an iterator in a thread, one item ahead of whoever uses them."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from types import TracebackType
from typing import Final, Generic, Self, TypeVar

from portal.work_id import carried

Item = TypeVar("Item")


class _End:
    """After the last item."""


END: Final = _End()


class Prefetch(Generic[Item]):
    """The items, each of which comes while the one before is used.

    On leaving, one that nobody waits for any more is given up: `giving_up` is entered, which
    must make it end soon.
    """

    def __init__(
        self, items: Generator[Item, None, None], giving_up: AbstractContextManager[None]
    ) -> None:
        self._items = items
        self._giving_up = giving_up
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="next-page")
        self._coming: Future[Item | _End] | None = None
        self._take = carried(self._next)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        is_idle = self._coming is None or self._coming.done()
        with nullcontext() if is_idle else self._giving_up:
            self._thread.shutdown(wait=True, cancel_futures=True)
        self._items.close()

    def __iter__(self) -> Iterator[Item]:
        self._ask()
        while not isinstance(item := self._get(), _End):
            self._ask()
            yield item

    def _ask(self) -> None:
        self._coming = self._thread.submit(self._take)

    def _get(self) -> Item | _End:
        assert self._coming is not None
        return self._coming.result()

    def _next(self) -> Item | _End:
        return next(self._items, END)
