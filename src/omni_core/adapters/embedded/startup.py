"""Everything that a start needs, in order: an account, a cluster, folders, configuration, the server."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from omni_core.adapters.embedded import cluster, config, postmaster
from omni_core.adapters.embedded.account import server_account
from omni_core.adapters.embedded.layout import Layout
from omni_core.adapters.embedded.postmaster import Postmaster
from omni_core.adapters.embedded.programs import Programs


@dataclass(frozen=True, slots=True)
class Startup:
    """A server to join, or to start from the programs in `folder`, of major `version`."""

    layout: Layout
    folder: Path
    version: int
    settings: Mapping[str, str] = field(default_factory=dict)

    def join_or_start(self) -> Postmaster:
        """Return the home's server. The caller has the home's exclusive lock.

        Raises `DataOfAnotherVersion`, `AccountMissing`, `HomeUnusable` or `StartFailed`.
        """
        cluster.check(self.layout, self.version)
        found = postmaster.find_or_lock(self.layout)
        if isinstance(found, Postmaster):
            return found
        try:
            return self._start(found)
        finally:
            os.close(found)

    def _start(self, running: int) -> Postmaster:
        account = server_account()
        programs = Programs(self.folder, account)
        socket_folder = self.layout.socket_folder()
        for path in (self.folder / "postgres", self.layout.data, socket_folder):
            account.reach(path)
        if cluster.made_by(self.layout) is None:
            cluster.make(self.layout, programs, self.version)
        for owned in (self.layout.data, self.layout.log, socket_folder):
            account.own_folder(owned)
        config.write(self.layout, socket_folder, self.settings)
        return postmaster.start(self.layout, programs, socket_folder, running)
