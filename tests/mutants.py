"""Make mutants of a module: copies of its syntax tree, each broken in one place.

What is left alone: docstrings, annotations, messages (f-strings, and what is inside of a raise;
that it raises at all is broken), ``strict=True`` of a zip, and the -1 of a reshape, for which NumPy
takes any negative number.
"""

import ast
import copy
from collections.abc import Callable
from typing import NamedTuple

COMPARE = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
}
ARITHMETIC = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.FloorDiv,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.Mult,
    ast.Pow: ast.Mult,
    ast.MatMult: ast.Mult,
    ast.BitOr: ast.BitAnd,
    ast.BitAnd: ast.BitOr,
    ast.LShift: ast.RShift,
}
# Their arguments may be swapped without anything changing.
SYMMETRIC = {"max", "min", "maximum", "minimum", "gcd", "isclose", "allclose", "array_equal"}


class Mutant(NamedTuple):
    """One broken place: `name` says where and what, `lines` of the file are touched."""

    name: str
    lines: tuple
    source: str
    path: tuple
    change: Callable

    @property
    def tree(self):
        """The broken syntax tree; made when it is asked for, since there are thousands."""
        tree = ast.parse(self.source)
        parent, field, index = _follow(tree, self.path)
        if index is None:
            setattr(parent, field, self.change(getattr(parent, field)))
        else:
            getattr(parent, field)[index] = self.change(getattr(parent, field)[index])
        return ast.fix_missing_locations(tree)


def mutants(source, module):
    """Return every mutant of a module.

    Parameters
    ----------
    source : str
    module : str
        What the names begin with.

    Returns
    -------
    list of Mutant
        In the order of the file. Two of the same name are told apart by ``#2``.
    """
    found, seen = [], {}
    for node, path, scope, statement, change in _places(ast.parse(source)):
        place = f" in `{_short(statement)}`" if isinstance(node, ast.Constant) else ""
        name = f"{module}.{scope}: {_short(node)} → {_short(change(node))}{place}"
        seen[name] = seen.get(name, 0) + 1
        name += f" #{seen[name]}" if seen[name] > 1 else ""
        found.append(Mutant(name, _lines(statement), source, path, change))
    return found


def _short(node):
    text = " ".join(ast.unparse(node).partition(":\n")[0].split())
    return text if len(text) <= 70 else f"{text[:50]} … {text[-17:]}"


def _follow(tree, path):
    node = tree
    for field, index in path[:-1]:
        node = getattr(node, field) if index is None else getattr(node, field)[index]
    return node, *path[-1]


def _lines(statement):
    """Return the first and the last line of a statement, without those of its body."""
    first, last = statement.lineno, statement.end_lineno
    body = getattr(statement, "body", None)
    return (first, max(first, body[0].lineno - 1) if body else last)


def _places(node, path=(), scope="", statement=None):
    """Yield (node, path, scope, statement, change) of everything that can be broken."""
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        scope = f"{scope}.{node.name}" if scope else node.name
    statement = node if isinstance(node, ast.stmt) else statement
    if path:
        for change in _changes(node):
            yield node, path, scope or "module", statement, change
    for field, value in ast.iter_fields(node):
        if field in ("annotation", "returns", "decorator_list"):
            continue
        if isinstance(node, ast.JoinedStr | ast.Raise) or _is_docstring(node) or _is_strict(node):
            continue
        if isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "reshape":
            value = [] if field == "args" else value
        items = enumerate(value) if isinstance(value, list) else [(None, value)]
        for index, child in items:
            if isinstance(child, ast.AST):
                yield from _places(child, (*path, (field, index)), scope, statement)


def _is_docstring(node):
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _is_strict(node):
    """Whether it is zip's ``strict=True``, which guards against what is never to happen."""
    return isinstance(node, ast.keyword) and node.arg == "strict"


def _set(**fields):
    def change(node):
        node = copy.copy(node)
        for field, value in fields.items():
            setattr(node, field, value)
        return node

    return change


def _changes(node):
    """Return the functions that break this very node."""
    if isinstance(node, ast.Compare):
        return [
            _set(ops=[*node.ops[:k], COMPARE[type(op)](), *node.ops[k + 1 :]])
            for k, op in enumerate(node.ops)
        ]
    if isinstance(node, ast.BinOp | ast.AugAssign):
        swapped = ARITHMETIC.get(type(node.op))
        return [_set(op=swapped())] if swapped else []
    if isinstance(node, ast.BoolOp):
        return [_set(op=ast.And() if isinstance(node.op, ast.Or) else ast.Or())]
    if isinstance(node, ast.UnaryOp):
        return [lambda old: old.operand] if isinstance(node.op, ast.Not | ast.USub) else []
    if isinstance(node, ast.Constant):
        if isinstance(node.value, bool):
            return [_set(value=not node.value)]
        if isinstance(node.value, int | float):
            return [_set(value=node.value + 1), _set(value=node.value - 1)]
        return []
    if isinstance(node, ast.Return) and node.value is not None:
        is_none = isinstance(node.value, ast.Constant) and node.value.value is None
        return [] if is_none else [_set(value=ast.Constant(None))]
    if isinstance(node, ast.Raise):
        return [lambda old: ast.Pass()]
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
        return [lambda old: ast.Pass()]
    if isinstance(node, ast.If | ast.IfExp | ast.While):
        plain = not isinstance(node.test, ast.Compare | ast.BoolOp | ast.UnaryOp)
        if plain:
            return [lambda old: _set(test=ast.UnaryOp(ast.Not(), old.test))(old)]
        return []
    if isinstance(node, ast.Call) and len(node.args) >= 2:
        name = getattr(node.func, "attr", getattr(node.func, "id", ""))
        starred = any(isinstance(arg, ast.Starred) for arg in node.args[:2])
        same = ast.dump(node.args[0]) == ast.dump(node.args[1])
        if name in (*SYMMETRIC, "reshape") or starred or same:
            return []
        return [_set(args=[node.args[1], node.args[0], *node.args[2:]])]
    if isinstance(node, ast.Break):
        return [lambda old: ast.Continue()]
    if isinstance(node, ast.Continue):
        return [lambda old: ast.Break()]
    return []
