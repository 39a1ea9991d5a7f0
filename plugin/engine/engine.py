"""The engine's parts, joined."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any, Mapping, Optional, Sequence

from .auth import Doorkeeper
from .block_settings import block_settings
from .blocks.base import Block
from .built_in import seed_workflows
from .keys import Keys
from .lease import Life
from .network import NetworkSettings
from .package_path import PACKAGE
from .projects import FREE, KINDS, PRACTICE, Project, make_projects
from .rate_limit import RateLimit
from .runner import Runner
from .signed import Signer
from .store import Store
from .webhook_sender import WebhookSender

BLOCKS_MODULE = f"{PACKAGE}.blocks"


class Engine:
    """Everything that a request may need. `blocks_module` names a module with `BLOCKS`: block id -> Block.

    `per_second` limits the rate of requests; 0 is no limit.
    """

    def __init__(
        self, data: Path, keys: Keys, life: Life, blocks_module: str = BLOCKS_MODULE, per_second: float = 0.0
    ):
        self.data = data
        self.life = life
        self.blocks: Mapping[str, Block] = importlib.import_module(blocks_module).BLOCKS
        self.doorkeeper = Doorkeeper(
            {keys.project_id: keys.project_key, keys.free_project_id: keys.free_project_key},
            keys.signing_key,
            (keys.account_user, keys.account_password),
        )
        self.keys = keys
        self.rate_limit = RateLimit(per_second)
        self.signer = Signer(keys.signing_key)
        self.network = NetworkSettings(data)
        self.store = Store(data)
        self._projects = {
            keys.project_id: Project(keys.project_id, KINDS[PRACTICE]),
            keys.free_project_id: Project(keys.free_project_id, KINDS[FREE]),
        }
        make_projects(self.store)
        seed_workflows(self.store, self.blocks)
        kinds = {project.kind.kind: project.id for project in self.projects}
        self.webhooks = WebhookSender(self.store, self.network, kinds)
        self.runner = Runner(data, self.store, self.blocks, blocks_module, self.network, self.webhooks.wake)

    @property
    def projects(self) -> Sequence[Project]:
        """Both projects, Practice first."""
        return tuple(self._projects.values())

    def project(self, project_id: str) -> Optional[Project]:
        """One of the two projects; None for any other id."""
        return self._projects.get(project_id)

    @property
    def block_settings(self) -> dict[str, Any]:
        """What blocks get to know of the engine's settings."""
        return block_settings(self.store, self.data)

    def start(self) -> None:
        """Begin to work."""
        self.webhooks.start()
        self.runner.start()

    def close(self) -> None:
        """Stop the work and close the store."""
        self.runner.stop()
        self.webhooks.stop()
        self.store.close()
