"""Marks of what is right and wrong for a query, and what the model learns from them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from index import Catalogue, Verdict, WriterLock
from photosearch.explaining import explaining
from photosearch.library.named import ids_named
from photosearch.model_choice import ModelChoice
from photosearch.photo import PhotoName
from photosearch.search.judged import judged_text
from photosearch.search.searcher import Searcher

if TYPE_CHECKING:
    from photosearch.tuning.run import Tuned


@explaining
class Feedback:
    """`library.feedback`: which photos are right for a query, and `tune`, which learns from that.

    Marks belong to the words of a query and to the bytes of a photo, whatever model is used. They
    change nothing by themselves.
    """

    def __init__(
        self, catalogue: Catalogue, searcher: Searcher, choice: ModelChoice, lock: WriterLock
    ) -> None:
        self._catalogue, self._searcher = catalogue, searcher
        self._choice, self._lock = choice, lock

    def mark(
        self,
        text: str,
        photos: Sequence[PhotoName],
        *,
        right: bool | None,
        locale: str = "",
        literal: bool = False,
    ) -> str:
        """Say whether photos are right for what `text` describes; None takes it back.

        The words that it is kept under: those of the description alone, without filters.

        Raises `UsageError` for a text that is no single description in words, and when the library
        has no such photo; `LibraryError`.
        """
        query = self.query(text, locale=locale, literal=literal)
        fits = dict.fromkeys(ids_named(self._catalogue, photos), right)
        self._catalogue.verdicts.put(query, fits, locale)
        return query

    def query(self, text: str, *, locale: str = "", literal: bool = False) -> str:
        """The words that marks for `text` are kept under. Raises as `mark` does."""
        return judged_text(self._searcher.parsed(text, literal, locale))

    def all(self) -> list[Verdict]:
        """All marks, by query; one for all copies of a photo. Raises `LibraryError`."""
        return self._catalogue.verdicts.all()

    def of(self, photo_ids: Iterable[int]) -> list[Verdict]:
        """The marks of these photos. Raises `LibraryError`."""
        return self._catalogue.verdicts.of(photo_ids)

    def tune(self, *, dry_run: bool = False) -> Tuned:
        """Learn from the marks what the model that answers should read otherwise.

        It is switched on if it helps with marks that it has not seen, and else switched off: `on`
        of what comes back says so, and `reason` why. With `dry_run` nothing is changed. The vectors
        of photos stay as they are.

        Raises `LibraryError` also when another process is changing the library; `BundleError`.
        """
        from photosearch.tuning.run import tune

        encoder = self._choice.searching_encoder()
        if dry_run:
            return tune(self._catalogue, self._searcher, encoder, dry_run=True)
        with self._lock.held():
            return tune(self._catalogue, self._searcher, encoder, dry_run=False)

    def revert(self) -> bool:
        """Switch off what was learned; the marks stay. Whether anything was on.

        Raises `LibraryError`; `BundleError`.
        """
        return self._catalogue.verdicts.drop_layer(self._choice.searching_encoder().bundle_id)
