"""What tasks have in common that ask for something seen long ago."""

from __future__ import annotations

from typing import Any

from ._task import Task


class Memory(Task):
    """A task whose picture shows what a model keeps of a sequence."""

    def picture(self, model: Any) -> Any:
        """Return a figure of the gates and the cell states over the first test sample."""
        from lstmfast.plot import gates

        x = self.test.x[0]
        symbols = self.show_x(x) if self.vocabulary else None
        steps = None if symbols is None else len(symbols)  # without blanks at the end
        return gates(model, x[:steps], symbols=symbols, show="ifc")
