"""The suites: add a file and a line here."""

from __future__ import annotations

from lstmfast._bench.contest import Suite
from lstmfast._bench.suites.fit import FIT, THREADS
from lstmfast._bench.suites.kernels import KERNELS
from lstmfast._bench.suites.layers import FORWARD, OPTION_COSTS, TRAINING
from lstmfast._bench.suites.machine import MACHINE
from lstmfast._bench.suites.memory import MEMORY
from lstmfast._bench.suites.other_layers import LAYERS
from lstmfast._bench.suites.scaling import SCALING
from lstmfast._bench.suites.steps import STEP
from lstmfast._bench.suites.tasks import TASKS_SUITE
from lstmfast._bench.suites.tutorials import TUTORIALS_SUITE

SUITES: tuple[Suite, ...] = (
    FORWARD,
    TRAINING,
    STEP,
    OPTION_COSTS,
    FIT,
    TUTORIALS_SUITE,
    TASKS_SUITE,
    LAYERS,
    SCALING,
    THREADS,
    MEMORY,
    KERNELS,
    MACHINE,
)
