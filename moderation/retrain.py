"""Teaching the active model what moderators said, in a process of its own.

`start` begins it, and `python -m moderation.retrain ID` is it: it writes the labels to a file that
only it can read, runs `moderation train` on that, and keeps what that command says. It goes on when
the worker that started it ends.
"""

from __future__ import annotations

import io
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import traceback
from contextlib import redirect_stderr, redirect_stdout, suppress
from importlib.metadata import entry_points
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from moderation import cli, settings
from moderation.errors import ModerationError, StoreUnavailable
from moderation.labelled_csv import csv_lines
from moderation.settings import Settings
from moderation.shelf import ModelShelf
from moderation.store import Store
from moderation.store.labels import label_row
from moderation.store.retrains import SIGN_OF_LIFE, Retrains

_POLITE = 10  # the service's own work comes first
_MADE = re.compile(r"^Model (\S+) is in .*$", re.MULTILINE)  # training/commands.py says it
_STEP = " …"
_FILE = "labels.csv"


class NotPossible(ModerationError):
    """Nothing can be trained here."""

    status = 409
    title = "Not possible"


def impossible() -> str:
    """Why no model can be trained on this machine; empty where one can."""
    found = [entry for entry in entry_points(group=cli.GROUP) if entry.name == "train"]
    if found and find_spec(found[0].module.partition(".")[0]):
        return ""
    return (
        "The package `training` is not installed beside the service. Write the labels with "
        "`moderation labels -o labels.csv`, and train where it is."
    )


def start(retrains: Retrains, configured: Settings, by: str) -> str:
    """Start a retrain in the background; its id. AlreadyTraining or NotPossible."""
    if problem := impossible():
        raise NotPossible(problem)
    if not retrains.label_count():
        raise NotPossible("No comment has a label yet: there is nothing to learn from.")
    retrain_id = retrains.begin(by)
    places = {
        "MODERATION_DATABASE": configured.database,
        "MODERATION_MODELS": str(configured.models.absolute()),
    }
    try:
        process = subprocess.Popen(
            [sys.executable, "-m", "moderation.retrain", retrain_id],
            env={**os.environ, **places},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
    except OSError as error:
        retrains.failed(retrain_id, str(error))
        raise NotPossible(f"No process can be started for it: {error}.") from error
    threading.Thread(target=_watch, args=(process, retrains, retrain_id), daemon=True).start()
    return retrain_id


def run(store: Store, models: Path, retrain_id: str) -> None:
    """Train, and write down what came of it."""
    said, progress = io.StringIO(), _Progress()
    over = threading.Event()
    signs = threading.Thread(target=_give_signs, args=(store, retrain_id, progress, over))
    signs.start()
    try:
        _folder(retrain_id).mkdir(mode=0o700)
        file = _folder(retrain_id) / _FILE
        learnt_from = store.retrains.labelled()
        with file.open("w", encoding="utf-8", newline="") as out:
            out.writelines(csv_lines(map(label_row, learnt_from)))
        parent = ModelShelf(models).active_version()
        arguments = ["train", str(file), "--models-dir", str(models), "--no-activate"]
        with redirect_stdout(said), redirect_stderr(progress):
            code = cli.run(arguments)
        made = _MADE.search(said.getvalue())
        if code or not made:
            problem = "\n".join(progress.problems) or f"`moderation train` ended with {code}."
            store.retrains.failed(retrain_id, problem.replace(str(file), _FILE))
            return
        report, losses = said.getvalue()[: made.start()], progress.losses
        ids = [stored.id for stored in learnt_from]
        store.retrains.done(retrain_id, made.group(1), parent, report, losses, ids)
    finally:
        over.set()
        signs.join()
        shutil.rmtree(_folder(retrain_id), ignore_errors=True)


class _Progress(io.StringIO):
    """What the command says on standard error: steps, losses, problems."""

    step = "Starting"

    def write(self, text: str) -> int:
        for line in text.splitlines():
            if line.endswith(_STEP):
                self.step = line.removesuffix(_STEP)
        return super().write(text)

    @property
    def losses(self) -> list[str]:
        """Where the new model is worse."""
        return [line[2:] for line in self._lines() if line.startswith("- ")]

    @property
    def problems(self) -> list[str]:
        """Why there is none."""
        return [line.removeprefix("moderation: ") for line in self._lines()]

    def _lines(self) -> list[str]:
        return [ln for ln in self.getvalue().splitlines() if ln and not ln.endswith(_STEP)]


def _folder(retrain_id: str) -> Path:
    return Path(tempfile.gettempdir()) / f"moderation-{retrain_id}"


def _give_signs(store: Store, retrain_id: str, progress: _Progress, over: threading.Event) -> None:
    while not over.wait(SIGN_OF_LIFE):
        with suppress(StoreUnavailable):  # the next one will do
            store.retrains.alive(retrain_id, progress.step)


def _watch(process: subprocess.Popen[Any], retrains: Retrains, retrain_id: str) -> None:
    """Say at once what nobody else would for a minute: that it was killed. Its file goes too."""
    code = process.wait()
    shutil.rmtree(_folder(retrain_id), ignore_errors=True)
    if code:
        how = f"signal {-code}" if code < 0 else f"code {code}"
        retrains.failed(retrain_id, f"Its process was stopped before its end ({how}).")


def main(retrain_id: str) -> None:
    """The process."""
    os.nice(_POLITE)
    configured = settings.load(os.environ)
    store = Store.open(configured.database)
    try:
        run(store, configured.models, retrain_id)
    except (ModerationError, OSError) as error:
        store.retrains.failed(retrain_id, str(error))
    except Exception as error:  # what nobody foresaw: its message may quote a comment
        where = traceback.extract_tb(error.__traceback__)[-1]
        place = f"{Path(where.filename).name}:{where.lineno}"
        store.retrains.failed(retrain_id, f"A mistake of ours: {type(error).__name__} at {place}.")
    finally:
        store.close()


if __name__ == "__main__":
    main(sys.argv[1])
