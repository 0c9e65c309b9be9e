"""Fit the polynomials of cpp/kernels/impl and compare them with the coefficients that stand there.

    pip install mpmath
    python tools/fit_polynomials.py

Prints for each polynomial the fitted coefficients, their largest error relative to the function,
and whether the core's have the same bits. Those of exp, log(1 + e) and the normal tail interpolate
at Chebyshev nodes; where the argument comes from a rounded reduction, the interval is 0.05 % longer
than exact arithmetic needs. Those of log are minimax, by Remez's exchange: in float the core's have
the same bits, in double they come from an exchange that stopped before its last digits, so their
error is compared, which must be within 0.1 % of the fit's. Exit status 1 where neither holds.
"""

from __future__ import annotations

import re
import struct
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from mpmath import mp, mpf

KERNELS = Path(__file__).parent.parent / "cpp" / "kernels" / "impl"
LONGER = mpf("1.0005")
WITHIN = 1.001  # of the fit's error
GRID = 400  # points among which the largest error is looked for
mp.dps = 60


@dataclass
class Polynomial:
    """`f` over low .. high; `weight` times an error is the error relative to the function."""

    name: str
    file: str
    place: str  # in the file, before the array of coefficients
    type: str  # as struct has it: "f" or "d"
    terms: int
    low: mpf
    high: mpf
    f: Callable[[mpf], mpf]
    weight: Callable[[mpf], mpf]
    minimax: bool = False

    def error(self, c: list[mpf], x: mpf) -> mpf:
        """Return the relative error at x with coefficients c."""
        return self.weight(x) * (mp.polyval(c[::-1], x) - self.f(x))

    def points(self, count: int) -> list[mpf]:
        """Return equally spaced points."""
        return [self.low + (self.high - self.low) * k / (count - 1) for k in range(count)]

    def largest_error(self, c: list[mpf]) -> mpf:
        """Return the largest relative error at such points."""
        return max(abs(self.error(c, x)) for x in self.points(GRID + 1))

    def nodes(self, count: int) -> list[mpf]:
        """Return Chebyshev nodes, ascending."""
        middle, half = (self.low + self.high) / 2, (self.high - self.low) / 2
        return [middle - half * mp.cos(mp.pi * (2 * k + 1) / (2 * count)) for k in range(count)]

    def solve(self, points: list[mpf], error: bool) -> list[mpf]:
        """Return coefficients with no error at the points, or with equal ones of changing signs."""
        system = mp.matrix(len(points), len(points))
        right = mp.matrix(len(points), 1)
        for i, x in enumerate(points):
            w = self.weight(x) if error else mpf(1)
            for j in range(self.terms):
                system[i, j] = w * x**j
            if error:
                system[i, self.terms] = (-1) ** i
            right[i] = w * self.f(x)
        return list(mp.lu_solve(system, right))[: self.terms]

    def fit(self) -> list[mpf]:
        """Return the coefficients, from that of x^0 on."""
        if not self.minimax:
            return self.solve(self.nodes(self.terms), error=False)
        points = self.nodes(self.terms + 1)
        while True:
            c = self.solve(points, error=True)
            before, points = points, self.extrema(c)
            if max(abs(a - b) for a, b in zip(before, points, strict=True)) < 1e-18:
                return c

    def extrema(self, c: list[mpf]) -> list[mpf]:
        """Return where the error is largest between its zeros, and the end of the interval."""
        x = self.points(GRID + 1)
        size = [abs(self.error(c, each)) for each in x]
        peaks = [k for k in range(1, GRID) if size[k - 1] <= size[k] > size[k + 1]]
        return [*(self.peak(c, x[k - 1], x[k + 1]) for k in peaks), self.high]

    def peak(self, c: list[mpf], low: mpf, high: mpf) -> mpf:
        """Return where |error| is largest between two points, by ternary search."""
        while high - low > 1e-22:
            third = (high - low) / 3
            if abs(self.error(c, low + third)) < abs(self.error(c, high - third)):
                low += third
            else:
                high -= third
        return (low + high) / 2

    def core(self) -> list[mpf]:
        """Return the coefficients in the core's source."""
        text = (KERNELS / self.file).read_text(encoding="utf-8")
        found = re.search(re.escape(self.place) + r".*? k\w+\[\w*\] = \{([^}]*)\}", text, re.DOTALL)
        assert found, f"{self.file}: no coefficients after {self.place}"
        return [mpf(number.strip().rstrip("f")) for number in found[1].split(",")]

    def bits(self, c: list[mpf]) -> list[bytes]:
        """Return coefficients as the core's numbers."""
        return [struct.pack(self.type, float(value)) for value in c]


def limited(f: Callable[[mpf], mpf], at_zero: mpf) -> Callable[[mpf], mpf]:
    """Return f with its limit at 0, where it would divide by 0 or lose all digits."""
    return lambda x: at_zero if abs(x) < 1e-20 else f(x)


def exp_part(r: mpf) -> mpf:
    return (mp.expm1(r) - r) / r**2


def log_part(z: mpf) -> mpf:
    s = mp.sqrt(z)
    return (2 * mp.atanh(s) / s - 2) / z


def log_weight(z: mpf) -> mpf:
    s = mp.sqrt(z)
    return z * s / (2 * mp.atanh(s))


def log1p_part(u: mpf) -> mpf:
    s = mp.sqrt(u)
    return (mp.atanh(s) / s - 1) / u


def log1p_weight(u: mpf) -> mpf:
    s = mp.sqrt(u)
    return u * s / mp.atanh(s)


def tail(name: str, kind: str, type: str, k: int, far: int, terms: int) -> Polynomial:
    """R(a) (a + k) with R(a) = Phi(-a) e^(a^2/2), as a polynomial in t = (a - k) / (a + k)."""

    def f(t: mpf) -> mpf:
        a = k * (1 + t) / (1 - t)
        return mp.erfc(a / mp.sqrt(2)) / 2 * mp.exp(a * a / 2) * (a + k)

    high = mpf(far - k) / (far + k)
    place = f"struct TailConstants<{kind}> {{"
    return Polynomial(name, "smooth.inl", place, type, terms, mpf(-1), high, f, lambda t: 1 / f(t))


def polynomials() -> list[Polynomial]:
    half = mp.log(2) / 2 * LONGER
    largest = ((mp.sqrt(2) - 1) / (mp.sqrt(2) + 1)) ** 2  # s^2 of log
    found = []
    for kind, vector, type, of_exp, of_log, of_log1p in (
        ("float", "F32", "f", 5, 3, 5),
        ("double", "F64", "d", 11, 7, 11),
    ):
        found += [
            Polynomial(
                f"exp, {kind}", "math.inl", f"struct MathConstants<{kind}> {{", type, of_exp,
                -half, half, limited(exp_part, mpf(1) / 2),
                limited(lambda r: r * r / mp.expm1(r), mpf(0)),
            ),
            Polynomial(
                f"log, {kind}", "log.inl", f"struct LogConstants<{kind}> {{", type, of_log,
                mpf(0), largest, limited(log_part, mpf(2) / 3),
                limited(log_weight, mpf(0)), minimax=True,
            ),
            Polynomial(
                f"log(1 + e), {kind}", "smooth.inl", f"{vector} log1p_unit(", type, of_log1p,
                mpf(0), LONGER / 9, limited(log1p_part, mpf(1) / 3),
                limited(log1p_weight, mpf(0)),
            ),
        ]  # fmt: skip
    found.append(tail("normal tail, float", "float", "f", 3, 15, 11))
    found.append(tail("normal tail, double", "double", "d", 5, 39, 23))
    return found


def main() -> int:
    failed = False
    for one in polynomials():
        fitted, core = one.fit(), one.core()
        error = one.largest_error(fitted)
        same = one.bits(fitted) == one.bits(core)
        if same:
            verdict = "the core's bits"
        else:
            ratio = one.largest_error(core) / error
            failed |= ratio > WITHIN
            verdict = f"the core's have other bits, and {mp.nstr(ratio, 8)} times this error"
        print(f"{one.name}: relative error {mp.nstr(error, 3)}; {verdict}")
        print("  " + ", ".join(mp.nstr(value, 20) for value in fitted))
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
