"""The folder of one evaluation: what is finished of it stays there, so that it can be gone on with."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from pathlib import Path

import orjson
from pydantic import TypeAdapter, ValidationError

from sidecar import __version__
from sidecar.errors import InvalidArgument
from sidecar.evaluation.results import Choice, DataFacts, Outcome
from sidecar.whole_file import write_whole

_OUTCOME = TypeAdapter(Outcome)


@dataclass(frozen=True)
class Begun:
    """Since when which data are evaluated."""

    began_at: str
    data: DataFacts


_BEGUN = TypeAdapter(Begun)


class OutputFolder:
    """Finished outcomes lie in ``finished/``, one file each, by what was measured."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._finished = path / "finished"
        self._begun_path = self._finished / "begun.json"

    def begin(self, data: DataFacts, *, is_fresh: bool) -> str:
        """When the evaluation of these data began, in ISO 8601; now, where it begins. ``is_fresh`` begins it anew.

        Raises: InvalidArgument where the folder has an evaluation of other data.
        """
        self._finished.mkdir(parents=True, exist_ok=True)
        begun = self._read_begun()
        if begun is not None and begun.data.fingerprint != data.fingerprint:
            raise InvalidArgument(
                f"{self.path} has the evaluation of other data, {begun.data.name} with {begun.data.documents} "
                "documents: give another folder by --output."
            )
        if is_fresh:
            for path in self._finished.glob("*.json"):
                path.unlink()
            begun = None
        if begun is None:
            begun = Begun(datetime.now(timezone.utc).isoformat(timespec="seconds"), data)
            write_whole(self._begun_path, _BEGUN.dump_json(begun))
        return begun.began_at

    def find(self, choice: Choice, model: str) -> Outcome | None:
        """What the choice has reached, under the choice's present name; None where that is not finished. ``model`` is
        the fingerprint of its model."""
        path = self._path(choice, model)
        if not path.exists():
            return None
        try:
            return replace(_OUTCOME.validate_json(path.read_bytes()), choice=choice)
        except ValidationError:
            return None  # of another version: it is measured anew

    def keep(self, outcome: Outcome, model: str) -> None:
        """Note what a choice has reached; it is on the disk when this returns."""
        write_whole(self._path(outcome.choice, model), _OUTCOME.dump_json(outcome))

    def _path(self, choice: Choice, model: str) -> Path:
        told = orjson.dumps([replace(choice, name=""), model, __version__])
        return self._finished / f"{hashlib.sha256(told).hexdigest()[:16]}.json"

    def _read_begun(self) -> Begun | None:
        if not self._begun_path.exists():
            return None
        try:
            return _BEGUN.validate_json(self._begun_path.read_bytes())
        except ValidationError as error:
            raise InvalidArgument(f"{self._begun_path} can't be read: delete the folder {self.path}.") from error
