"""The two C files of a model."""

from __future__ import annotations

from .model import Row
from .parts import Part, Table
from .text import filled, helpers_in, table

_HEADER = """\
/* $name, a network as C99: written by `lstmfast export-c` of lstmfast $version.
 *
 * A step takes $takes and gives $gives. All that changes is in a state, $ram
 * bytes, which the caller owns; nothing is allocated, and several states may be stepped at once:
 *
 *     static ${name}_state state;
 *     ${name}_reset(&state);
 *     for (;;) ${name}_step(&state, x, y);
 *
 * Build the source with -O2 or -Os and -ffp-contract=off, without -ffast-math: each product and
 * each sum is rounded by itself, so that the answers have the same bits on every processor.
 */
#ifndef ${upper}_H_INCLUDED
#define ${upper}_H_INCLUDED

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

$size_of_x
#define ${upper}_Y_SIZE $outputs

typedef struct {
  $fields
} ${name}_state;

/* Begins a sequence. */
void ${name}_reset(${name}_state* state);

$promise
$prototype;

#ifdef __cplusplus
}
#endif

#endif
"""

_SOURCE = """\
/* See $name.h.
 *
 * Constants of the layers: $flash bytes. State: $ram bytes.
 * Multiply-adds of weights a step: $products.
 */
#include "$name.h"

#include <float.h>
#include <string.h>

#if defined(__FAST_MATH__) || (defined(FLT_EVAL_METHOD) && FLT_EVAL_METHOD != 0)
#error "expected float arithmetic that rounds each result to float: no -ffast-math, no x87"
#endif

$helpers

$parts

void ${name}_reset(${name}_state* state) {
  memset(state, 0, sizeof *state);
  $starts
}

$prototype {
  $check
  $locals
  $calls
}
"""

_IDS_PROMISE = """\
/* One step: the id x to y [$outputs]. Returns 1, or 0 where x is not in 0 .. $last: then nothing
 * has changed. */"""
_PROMISE = "/* One step: x [$inputs] to y [$outputs], which do not overlap. */"


def weight_bytes(row: Row) -> int:
    """Return the bytes of the constants of all layers."""
    return sum(table.values.nbytes for _, part in row.layers for table in _constants(part))


def state_bytes(row: Row) -> int:
    """Return the bytes of a state."""
    return sum(4 * field.length for _, part in row.layers for field in part.state) or 1


def products(row: Row) -> int:
    """Return the multiply-adds of weights in a step."""
    return sum(part.products for _, part in row.layers)


def header(row: Row, name: str, version: str) -> str:
    """Return the text of the header."""
    upper, fields = name.upper(), [field for _, part in row.layers for field in part.state]
    size = f"#define {upper}_X_SIZE {row.inputs}"
    return filled(
        _HEADER,
        name=name,
        upper=upper,
        version=version,
        takes=f"an id below {row.ids}" if row.ids else _numbers(row.inputs),
        gives=_numbers(row.outputs),
        outputs=row.outputs,
        ram=state_bytes(row),
        size_of_x=f"#define {upper}_X_BELOW {row.ids}" if row.ids else size,
        fields="\n".join(f"float {field.name}[{field.length}];" for field in fields)
        or "char unused; /* no layer keeps anything from step to step */",
        promise=filled(
            _IDS_PROMISE if row.ids else _PROMISE,
            inputs=row.inputs,
            outputs=row.outputs,
            last=row.ids - 1,
        ),
        prototype=_prototype(row, name),
    )


def source(row: Row, name: str) -> str:
    """Return the text of the source."""
    parts = "\n\n".join(_definitions(layer.label, part) for layer, part in row.layers)
    fields = [field for _, part in row.layers for field in part.state if field.start is not None]
    starts = "\n".join(
        f"memcpy(state->{name}, {name}_start, sizeof state->{name});" for name, _, _ in fields
    )
    locals_, calls, used = _calls(row)
    if row.ids:
        calls.append("return 1;")
    check = f"if (x < 0 || x >= {name.upper()}_X_BELOW) return 0;" if row.ids else ""
    if "state" not in used:
        check = f"(void)state;\n{check}".strip()
    return filled(
        _SOURCE,
        name=name,
        flash=weight_bytes(row),
        ram=state_bytes(row),
        products=products(row),
        helpers="\n\n".join(helpers_in(parts)),
        parts=parts,
        starts=starts,
        prototype=_prototype(row, name),
        check=check,
        locals="\n".join(locals_),
        calls="\n".join(calls),
    )


def _numbers(count: int) -> str:
    return "1 number" if count == 1 else f"{count} numbers"


def _prototype(row: Row, name: str) -> str:
    kind, x = ("int", "int32_t x") if row.ids else ("void", "const float* x")
    return f"{kind} {name}_step({name}_state* state, {x}, float* y)"


def _definitions(label: str, part: Part) -> str:
    """Return a part's comment, constants and function."""
    sizes = ",\n".join(f"  {name} = {value}" for name, value in part.sizes.items())
    texts = [
        f"/* {label}: {part.title} */\nenum {{\n{sizes}\n}};",
        *(table(*each) for each in _constants(part)),
        part.function.rstrip(),
    ]
    return "\n\n".join(filter(None, texts))


def _constants(part: Part) -> list[Table]:
    """Return the tables of a part, and what its state begins with."""
    starts = [
        Table(f"{name}_start", (str(length),), start)
        for name, length, start in part.state
        if start is not None
    ]
    return [*part.tables, *starts]


def _calls(row: Row) -> tuple[list[str], list[str], str]:
    """Return the arrays and the statements of a step, which leave the output in y."""
    arrays: list[str] = []
    calls, x, is_ours = [], "x", False  # whether x is one of the arrays
    for place, (layer, part) in enumerate(row.layers):
        y = part.result
        if not y and place + 1 == len(row.layers):
            y = "y"
        elif not y and part.in_place and is_ours:
            y = x
        elif not y:
            y = f"{layer.name}_y"
            arrays.append(f"float {y}[{part.outputs}];")
        if part.call is not None:
            calls.append(part.call(x, y))
        x, is_ours = y, not part.result
    if x != "y":
        calls.append(f"memcpy(y, {x}, {row.outputs} * sizeof *y);")
    return arrays, calls, " ".join(calls)
