"""Sentences for people: templates of the rooms without Qt are translated here, then filled with their values."""

from __future__ import annotations

import math
from typing import Union

from qgis.PyQt.QtCore import QCoreApplication, QLocale

from ..delivery.errors import TEMPLATES as DELIVERY_TEMPLATES
from ..delivery.errors import DeliveryError
from ..jobs.job import JobState, JobType
from ..jobs.problem import TEMPLATES, Problem
from ..jobs.request import Estimate, Range
from ..net.errors import NetError

MEGABYTE = "MEGABYTE"  # the contract's unit of blocks that are paid, or estimated, by what they fetch (2.7)


def tr(text: str) -> str:
    """`text` in the user's language; the context is the plugin's for all that is not a widget."""
    return QCoreApplication.translate("UP42Jobs", text)


def tell(problem: Problem) -> str:
    """A problem as a sentence in the user's language."""
    return QCoreApplication.translate("Problem", TEMPLATES[problem.code]).format(**problem.values)


def tell_delivery(error: DeliveryError) -> str:
    """What went wrong with a delivery, as a sentence in the user's language."""
    return QCoreApplication.translate("Delivery", DELIVERY_TEMPLATES[error.code]).format(**error.values)


def tell_network(error: NetError) -> str:
    """What went wrong on the network, as a sentence in the user's language."""
    return QCoreApplication.translate("NetError", error.template).format(**error.values)


def number(value: float, decimals: int = 0) -> str:
    """A number as the user's locale writes it; for screens, never for files."""
    return QLocale().toString(float(value), "f", decimals)


def area(km2: float) -> str:
    """An area with hectares beside it: `12.4 km² (1,240 ha)`; a tiny one in square metres: `76 m²`."""
    if 0 < km2 < 0.001:
        return tr("{m2} m²").format(m2=number(km2 * 1e6, 0 if km2 >= 1e-6 else 2))
    decimals = 3 if km2 < 1 else 2 if km2 < 10 else 1 if km2 < 1000 else 0
    return tr("{km2} km² ({ha} ha)").format(km2=number(km2, decimals), ha=number(km2 * 100))


def credit_range(credits: Range) -> str:
    """`12–15`, or `12` where both ends are the same; in whole credits, never less than may be charged."""
    low, high = number(math.floor(credits.min)), number(math.ceil(credits.max))
    return low if low == high else f"{low}–{high}"


def duration(seconds: float) -> str:
    """A time span in the largest unit that fits: `40 s`, `5 min`, `1.5 h`."""
    if seconds < 90:
        return tr("{n} s").format(n=number(seconds))
    if seconds < 5400:
        return tr("{n} min").format(n=number(seconds / 60))
    return tr("{n} h").format(n=number(seconds / 3600, 1))


def duration_range(seconds: Range) -> str:
    """`40 s – 2 min`, or one value where both ends read the same; an endless time is one that nobody knows."""
    if math.isinf(seconds.max):
        return tr("time unknown")
    low, high = duration(seconds.min), duration(seconds.max)
    return low if low == high else f"{low} – {high}"


def fetched(estimate: Estimate) -> str:
    """How much is fetched from the internet, `12–40 MB`; "" where no block's unit says so."""
    amounts = [task.amount for task in estimate.tasks if task.unit == MEGABYTE]
    if not amounts:
        return ""
    low, high = (number(math.ceil(sum(ends))) for ends in zip(*((amount.min, amount.max) for amount in amounts)))
    return tr("{n} MB").format(n=low if low == high else f"{low}–{high}")


def state_word(state: Union[JobState, str]) -> str:
    """The word for a state; an unknown one is said as the platform says it."""
    words = {
        JobState.PENDING: tr("Pending"),
        JobState.QUEUED: tr("Queued"),
        JobState.RUNNING: tr("Running"),
        JobState.CANCELLING: tr("Cancelling"),
        JobState.SUCCEEDED: tr("Succeeded"),
        JobState.FAILED: tr("Failed"),
        JobState.CANCELLED: tr("Cancelled"),
        JobState.UNKNOWN: tr("Unknown"),
    }
    return words[state] if isinstance(state, JobState) else state


def job_type_word(job_type: JobType) -> str:
    """Test Query or Live Job."""
    return tr("Test Query") if job_type is JobType.TEST_QUERY else tr("Live Job")
