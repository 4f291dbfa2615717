"""A run that was prepared: what it will do, and what carries it out."""

from __future__ import annotations

from typing import final

from autoprune.runs.folder import RunFolder
from autoprune.sweep.environment import what_changed
from autoprune.sweep.finished import Finished
from autoprune.sweep.forecast import Forecast, forecast
from autoprune.sweep.outlook import Outlook, outlook
from autoprune.sweep.prepare import Prepared
from autoprune.sweep.progress import Observer
from autoprune.sweep.stop import Stop


@final
class PreparedRun:
    """A study of which everything was checked, and the folder of its run.

    Attributes:
        folder: where it will be, or is already.
        notes: what has to be known about its parent.
        warm: what it begins with of another run; None for nothing.
    """

    def __init__(self, prepared: Prepared, folder: RunFolder) -> None:
        self._prepared = prepared
        self.folder = folder
        self.notes = prepared.notes
        self.warm = prepared.warm

    @property
    def outlook(self) -> Outlook:
        """What the run will do."""
        return outlook(self._prepared.built)

    @property
    def forecast(self) -> Forecast:
        """What the run costs from its beginning; reads the data and times a small trial."""
        return forecast(self._prepared.built)

    @property
    def changed(self) -> str:
        """What differs here from where the run was last started, in words; empty for nothing."""
        changed = what_changed(self._prepared, self.folder)
        return f"the run goes on under another environment: {'; '.join(changed)}" * bool(changed)

    def run(self, observer: Observer, stop: Stop) -> Finished:
        """Run it, or go on with it, until it is done or `stop`; see `sweep.driver.run`."""
        from autoprune.sweep.driver import run  # a dry run needs no Optuna

        return run(self._prepared, self.folder.path, observer, stop)
