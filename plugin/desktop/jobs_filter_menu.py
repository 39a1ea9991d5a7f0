"""The button beside the search line: which statuses, types and workflows are listed."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Iterable, Optional

from qgis.PyQt.QtCore import QObject, pyqtSignal
from qgis.PyQt.QtWidgets import QAction, QActionGroup, QMenu, QToolButton

from ..host.words import job_type_word, state_word
from ..jobs.job import JobState, JobType
from .jobs_filter import Group, JobFilter
from .ui_files import theme_icon


class FilterMenu(QObject):
    """Fills the button's menu; the button says what is chosen."""

    changed = pyqtSignal(object)  # JobFilter, its text left alone

    def __init__(self, button: QToolButton) -> None:
        super().__init__(button)
        self._button, self._chosen = button, JobFilter()
        self._menu = QMenu(button)
        self._menu.setObjectName("jobsFilterMenu")
        button.setMenu(self._menu)
        button.setIcon(theme_icon("mActionFilter2"))
        states = {
            Group.UNFINISHED: self.tr("Unfinished"),
            Group.SUCCEEDED: state_word(JobState.SUCCEEDED),
            Group.FAILED: state_word(JobState.FAILED),
            Group.CANCELLED: state_word(JobState.CANCELLED),
        }
        self._words: dict[Any, str] = {**states, **{kind: job_type_word(kind) for kind in JobType}}
        self._add("group", self.tr("Any Status"), states.items())
        self._menu.addSeparator()
        self._add("job_type", self.tr("Any Type"), [(kind, job_type_word(kind)) for kind in JobType])
        self._menu.addSeparator()
        self._workflows = self._menu.addMenu(self.tr("Workflow"))
        self._workflows.setObjectName("jobsFilterWorkflowMenu")
        self._menu.addSeparator()
        self._ours = self._menu.addAction(self.tr("Started from Here"))
        self._ours.setObjectName("filterOursAction")
        self._ours.setCheckable(True)
        self._ours.setToolTip(self.tr("Only jobs that were started from this QGIS profile"))
        self._ours.toggled.connect(lambda on: self._choose(ours=on))
        self.set_workflows([])

    def set_workflows(self, names: Iterable[str]) -> None:
        """These workflows can be chosen."""
        self._workflows.clear()
        self._add("workflow", self.tr("Any Workflow"), [(name, name) for name in names], self._workflows)

    def _add(self, what: str, any_word: str, choices: Iterable[tuple[Any, str]], menu: Optional[QMenu] = None) -> None:
        menu = menu or self._menu
        group = QActionGroup(menu)
        for value, word in [(None, any_word), *choices]:
            action = QAction(word.replace("&", "&&"), group)
            action.setObjectName(f"filter_{what}_{getattr(value, 'value', value) or 'any'}")
            action.setCheckable(True)
            action.setChecked(getattr(self._chosen, what) == value)
            action.triggered.connect(lambda _on=True, value=value: self._choose(**{what: value}))
            menu.addAction(action)

    def _choose(self, **changes: Any) -> None:
        self._chosen = replace(self._chosen, **changes)
        parts = [self._chosen.group, self._chosen.job_type]
        words = [self._words[part] for part in parts if part is not None]
        words += [self._chosen.workflow] if self._chosen.workflow else []
        words += [self._ours.text()] if self._chosen.ours else []
        self._button.setText(" · ".join(words)[:40] or self.tr("All"))
        self.changed.emit(self._chosen)
