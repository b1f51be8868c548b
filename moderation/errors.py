"""Everything that may go wrong by name. The message is built here: what, where, how to mend it.

`status` is a hint for an HTTP face, `exit_code` for a command; the core itself knows neither.
"""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import ClassVar


class ModerationError(Exception):
    """The base of all errors that a user can do something about; `str()` is one line for them."""

    status: ClassVar[int] = 500
    exit_code: ClassVar[int] = 2
    title: ClassVar[str] = "Something went wrong"


class BadSetting(ModerationError):
    """A setting that is unknown or cannot be read."""

    title = "Bad setting"

    def __init__(self, name: str, problem: str) -> None:
        super().__init__(f"Setting {name}: {problem}")


class StoreUnavailable(ModerationError):
    """The database does not answer; nothing was recorded."""

    status = 503
    title = "Store unavailable"

    def __init__(self, problem: str) -> None:
        super().__init__(
            f"The database cannot be used ({problem}). Check MODERATION_DATABASE, its disk space "
            "and permissions, then try again."
        )


class UnknownComment(ModerationError):
    """No comment has this id on this site."""

    status = 404
    title = "Unknown comment"

    def __init__(self, comment_id: str) -> None:
        super().__init__(f"There is no comment {comment_id!r} on this site; it may be erased.")


class Conflict(ModerationError):
    """An Idempotency-Key came again with another comment."""

    status = 409
    title = "Conflict"

    def __init__(self) -> None:
        super().__init__(
            "This Idempotency-Key was used for another comment. "
            "Send a new key with each new or edited comment."
        )


class AlreadyTraining(ModerationError):
    """A model is being trained already, here or by another worker."""

    status = 409
    title = "Already training"

    def __init__(self) -> None:
        super().__init__("A model is being trained already. Wait for it to end.")


class ReviewedSince(ModerationError):
    """Another moderator decided on the comment after it was looked at."""

    status = 409
    title = "Reviewed since"

    def __init__(self) -> None:
        super().__init__(
            "Another moderator decided on this comment in the meantime, so nothing was changed. "
            "Look at its reviews, then send yours again."
        )


class BadCursor(ModerationError):
    """A cursor that this queue did not give out."""

    status = 422
    title = "Bad cursor"

    def __init__(self) -> None:
        super().__init__(
            "This cursor does not belong to this listing. Take it from `next` of an answer with "
            "the same order, or leave it out to begin anew."
        )


class UnknownKey(ModerationError):
    """No key has this id."""

    status = 404
    title = "Unknown key"

    def __init__(self) -> None:
        # What was asked for may be a key typed wrong, so it is not repeated.
        super().__init__("There is no such key. `moderation keys list` shows the ids of all keys.")


class ModelsReadOnly(ModerationError):
    """The folder of models cannot be written to; the active model stays what it was."""

    status = 503
    title = "Models read-only"

    def __init__(self, folder: Path, error: OSError) -> None:
        super().__init__(
            f"Nothing was activated: {folder} cannot be written to ({error.strerror}). Let the "
            "service's user write there, make room on its disk, and try again."
        )


class ModelRefused(ModerationError):
    """A model on disk that is not what its manifest says, or that this version cannot read."""

    status = 503
    title = "Model refused"

    def __init__(
        self,
        version: str,
        problem: str,
        mend: str = "Train it again, or activate another one (`moderation models list`).",
    ) -> None:
        super().__init__(f"Model {version} was not loaded: {problem}. {mend}")


class SecondOpinionRefused(ModelRefused):
    """A second opinion that is asked for and cannot be had."""

    title = "Second opinion refused"

    def __init__(self, problem: str) -> None:
        super().__init__(
            "second-opinion",
            problem,
            "Install the package anew with `pip install 'moderation[second-opinion]'`, "
            "or set MODERATION_SECOND_OPINION to `no`.",
        )


class UnknownModel(ModerationError):
    """No model of this version is installed."""

    status = 404
    title = "Unknown model"

    def __init__(self, version: str, known: Sequence[str]) -> None:
        listed = ", ".join(known) or "none"
        super().__init__(
            f"There is no model {version!r}{nearest(version, known)} Installed: {listed}."
        )


class NoEarlierModel(UnknownModel):
    """No other model was active before this one."""

    def __init__(self) -> None:
        ModerationError.__init__(
            self, "No other model was active before: there is nothing to go back to."
        )


def nearest(name: str, known: Sequence[str]) -> str:
    """`; did you mean X?` where something known is spelt alike, else a full stop."""
    close = get_close_matches(name, known, n=1)
    return f"; did you mean {close[0]}?" if close else "."
