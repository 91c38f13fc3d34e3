"""Words of a filter, which SQLite finds by trigrams if it has FTS5, and otherwise in the text of each run.

`db/derived.py` maintains the texts and the index. Case is ignored: for letters of any script with FTS5, for ASCII
letters without.
"""

from collections.abc import Collection, Hashable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, column, select, table
from sqlmodel import Session, col

from traindeck.db.derived import INDEX, VOCABULARY, has_full_text
from traindeck.db.tables import RunText
from traindeck.runs.conditions import Ids, count_up_to, fetch_ids, listed

TRIGRAM = 3
LAST_CHARACTER = "\U0010ffff"
MANY = 20_000
"""Above this number of occurrences of a short word, reading the texts is faster than the index."""


@dataclass(frozen=True)
class Word:
    """The runs whose name, trainer, notes or tags contain a word, also within another word."""

    word: str

    @property
    def identity(self) -> Hashable:
        return type(self), self.word

    @property
    def is_counted(self) -> bool:
        """Return whether the index has each run only once; for a short word it has every occurrence."""
        return self._is_indexed and len(self.word) >= TRIGRAM

    def counted(self, limit: int) -> ColumnElement[int] | None:
        return count_up_to(self._by_index() if self._is_indexed else self._by_text(), limit)

    def all(self, session: Session) -> Ids:
        if not self._is_indexed:
            return fetch_ids(session, self._by_text())
        if len(self.word) < TRIGRAM and self._is_plain:
            count = session.execute(select(count_up_to(self._by_index(), MANY))).scalar_one()
            if count == MANY:
                return fetch_ids(session, self._by_text())
        return fetch_ids(session, self._by_index())

    def among(self, session: Session, ids: Collection[int]) -> Ids:
        if self._is_plain:
            return fetch_ids(session, self._by_text().where(col(RunText.run_id).in_(listed(ids))))
        return self.all(session).intersection(ids)

    def between(self, session: Session, above: int, last: int) -> Ids:
        run_id = col(RunText.run_id)
        if self._is_plain:
            return fetch_ids(session, self._by_text().where(run_id > above, run_id <= last))
        found = self.all(session)
        return {number for number in found if above < number <= last}

    @property
    def _is_indexed(self) -> bool:
        # For SQLite, a NUL ends a text.
        return has_full_text() and "\0" not in self.word

    @property
    def _is_plain(self) -> bool:
        """Return whether LIKE finds the same as the index: LIKE ignores the case of ASCII letters only."""
        return not self._is_indexed or self.word.isascii()

    def _by_index(self) -> Select[Any]:
        if len(self.word) < TRIGRAM:
            terms = table(VOCABULARY, column("term"), column("doc"))
            first = _folded(self.word)
            return select(terms.c.doc).where(terms.c.term >= first, terms.c.term < first + LAST_CHARACTER)
        texts = table(INDEX, column("rowid"), column(INDEX))
        quoted = self.word.replace('"', '""')
        return select(texts.c.rowid).where(texts.c[INDEX].op("MATCH")(f'"{quoted}"'))

    def _by_text(self) -> Select[Any]:
        pattern = self.word.replace("/", "//").replace("%", "/%").replace("_", "/_")
        return select(col(RunText.run_id)).where(col(RunText.text).like(f"%{pattern}%", escape="/"))


def _folded(text: str) -> str:
    """Return the text with letters in lower case, as the index has them."""
    return "".join(small if len(small := letter.lower()) == 1 else letter for letter in text)
