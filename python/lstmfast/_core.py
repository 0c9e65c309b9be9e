"""A placeholder that is imported where the compiled core is missing: its error says what to do.

Where the core exists, Python imports that: it prefers extensions to source files.
"""

import platform
import sys
from pathlib import Path


def _note() -> str:
    python = f"Python {platform.python_version()} on {sys.platform} {platform.machine()}"
    # the name of an extension has the tag of its Python in the middle
    built = sorted(path.name for path in Path(__file__).parent.glob("_core.*.*"))
    if not built:
        return (
            f"the compiled core of lstmfast is not built for {python}. Install it with "
            "`pip install .` in the root of the sources; where you are in that folder "
            "already, start Python elsewhere, so that the installed package is imported."
        )
    return (
        f"the compiled core of lstmfast is built for another Python ({', '.join(built)}); this "
        f"is {python}. Install lstmfast again with this Python: "
        "`python -m pip install lstmfast`."
    )


raise ImportError(_note(), name=__name__)
