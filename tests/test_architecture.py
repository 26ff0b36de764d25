"""What the import rules cannot say. A failure lists the places that break the rule."""

from __future__ import annotations

import ast
import re
import tomllib
from collections import Counter
from collections.abc import Iterator
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

from portal import queue

ROOT = Path(__file__).parents[1]
ENTRY_POINTS = ("web", "webhooks", "api", "cli", "jobs", "supervisor")
NETWORK = {"requests", "urllib3", "socket", "http", "urllib.request", "ftplib", "smtplib"}
LONGEST_FUNCTION = 40
BLOCKS = ("body", "orelse", "handlers", "finalbody", "cases")
MOST_FILES = 25
"""Python files in a folder, before it wants rooms."""


def python_files(*rooms: str) -> Iterator[Path]:
    """The files of the rooms, or of the whole portal."""
    folders = [ROOT / "portal" / room for room in rooms] or [ROOT / "portal"]
    return (file for folder in folders for file in sorted(folder.rglob("*.py")))


@cache
def tree_of(file: Path) -> ast.Module:
    return ast.parse(file.read_text())


@cache
def statements(file: Path) -> list[ast.Import | ast.ImportFrom | ast.FunctionDef]:
    """Those that more than one rule is about, wherever in the file."""
    kinds = (ast.Import, ast.ImportFrom, ast.FunctionDef)
    return [node for node in walk_blocks(tree_of(file)) if isinstance(node, kinds)]


def walk_blocks(node: ast.AST) -> Iterator[ast.AST]:
    """What stands in blocks. Expressions, which are most of a tree, hold no statements."""
    for block in BLOCKS:
        for child in getattr(node, block, ()):
            yield child
            yield from walk_blocks(child)


def imports(file: Path) -> Iterator[tuple[str, str]]:
    """Each module that is imported, and what is taken from it."""
    for node in statements(file):
        if isinstance(node, ast.Import):
            yield from ((alias.name, "") for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from ((node.module, alias.name) for alias in node.names)


def functions(file: Path) -> Iterator[ast.FunctionDef]:
    return (node for node in statements(file) if isinstance(node, ast.FunctionDef))


def where(file: Path, what: object = "") -> str:
    return f"{file.relative_to(ROOT)} {what}".strip()


def length(function: ast.FunctionDef) -> int:
    return (function.end_lineno or 0) - function.lineno + 1


def test_entry_points_leave_the_database_to_services() -> None:
    pattern = re.compile(r"\bdb\.session\b|\b[A-Z]\w+\.query\b|\btransaction\(")
    assert [
        where(file) for file in python_files(*ENTRY_POINTS) if pattern.search(file.read_text())
    ] == []


def test_only_egress_opens_connections_to_the_outside() -> None:
    """`listening` asks our own web server whether it answers; `web_worker` sets options of
    connections that came in."""
    own = ("portal/supervisor/listening.py", "portal/supervisor/web_worker.py")
    free = ("portal/egress", *own)
    assert [
        where(file, module)
        for file in python_files()
        if not where(file).startswith(free)
        for module, _ in imports(file)
        if module in NETWORK or module.partition(".")[0] in NETWORK
    ] == []


def test_sql_is_not_written_as_text() -> None:
    """But for the conditions of indexes, in the models."""
    assert [
        where(file)
        for file in python_files()
        if not where(file).startswith("portal/models/")
        for module, name in imports(file)
        if module.startswith("sqlalchemy") and name == "text"
    ] == []


def test_a_job_only_unwraps_its_ids_and_calls_one_service() -> None:
    assert [
        where(file, job.name)
        for file in python_files("jobs")
        for job in functions(file)
        if not job.decorator_list and length(job) > 4
    ] == []


def test_every_job_has_a_name_in_the_queue() -> None:
    jobs = {
        f"portal.jobs.{file.stem}.{job.name}"
        for file in python_files("jobs")
        if file.stem != "context"
        for job in functions(file)
    }
    assert jobs == {job.function for job in queue.JOBS.values()}


def test_services_enqueue_by_names_that_exist() -> None:
    text = "\n".join(file.read_text() for file in python_files("services", "sync"))
    assert set(re.findall(r'enqueue\(\s*"(\w+)"', text)) <= set(queue.JOBS)


def test_functions_are_short() -> None:
    assert [
        where(file, f"{function.name}: {length(function)} lines")
        for file in python_files()
        for function in functions(file)
        if length(function) > LONGEST_FUNCTION
    ] == []


def test_constants_stand_on_top_of_their_file() -> None:
    """But for those that are made of a function or a class of the file."""
    assert [
        where(file, name)
        for file in (*python_files(), *sorted((ROOT / "tactical_simulator").rglob("*.py")))
        for name in late_constants(tree_of(file))
    ] == []


def late_constants(tree: ast.Module) -> Iterator[str]:
    """Names that could be given a value before the first function or class."""
    made: set[str] = set()
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            made.add(node.name)
        elif isinstance(node, ast.Assign | ast.AnnAssign) and made:
            used = {
                part.id: type(part.ctx) for part in ast.walk(node) if isinstance(part, ast.Name)
            }
            names = {name for name, context in used.items() if context is ast.Store}
            if made.isdisjoint(used):
                yield from names
            made |= names


def test_folders_are_small() -> None:
    """But for that of the revisions, which only grows."""
    rooms = ("portal", "tactical_simulator", "tests", "benchmarks", "scripts", "migrations")
    files = (file for room in rooms for file in (ROOT / room).rglob("*.py"))
    counts = Counter(file.parent.relative_to(ROOT).as_posix() for file in files)
    del counts["migrations/versions"]
    assert {folder: count for folder, count in counts.items() if count > MOST_FILES} == {}


def test_every_module_has_a_layer() -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
    layers = next(each["layers"] for each in contracts["contracts"] if each["type"] == "layers")
    named = {module.strip() for layer in layers for module in layer.split("|")}
    children = (ROOT / "portal").iterdir()
    modules = {
        each.stem for each in children if each.suffix == ".py" or (each / "__init__.py").exists()
    }
    assert modules - {"__init__"} == named


def test_every_module_can_be_the_first_that_is_imported() -> None:
    """A circle of imports works or fails with the order in which its modules are asked for.
    Without one they can be sorted; else the error names the circle."""
    modules = {module_name(file): file for file in python_files()}
    needs = {name: set(imported_first(name, modules)) for name in modules}
    assert len(list(TopologicalSorter(needs).static_order())) == len(modules)


def module_name(file: Path) -> str:
    return ".".join(file.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def imported_first(name: str, modules: dict[str, Path]) -> Iterator[str]:
    """What is imported while the module is: of another package its `__init__` before all else."""
    for module, taken in imports_at_once(tree_of(modules[name])):
        target = f"{module}.{taken}" if f"{module}.{taken}" in modules else module
        while target in modules and not f"{name}.".startswith(f"{target}."):
            yield target
            target = target.rpartition(".")[0]


def imports_at_once(node: ast.AST) -> Iterator[tuple[str, str]]:
    """The imports but those in functions, which wait for a call, and those for types alone."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.ImportFrom):
            yield from ((child.module or "", alias.name) for alias in child.names)
        elif isinstance(child, ast.Import):
            yield from ((alias.name, "") for alias in child.names)
        elif not isinstance(child, ast.FunctionDef) and not is_for_types(child):
            yield from imports_at_once(child)


def is_for_types(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING")


def test_templates_hold_no_inline_script_or_style() -> None:
    """The content security policy refuses them."""
    pattern = re.compile(r"<script(?![^>]*\bsrc=)|<style\b|\sstyle=|\son[a-z]+=|javascript:")
    assert [
        where(file, found.group())
        for file in sorted((ROOT / "portal/templates").rglob("*.html"))
        for found in pattern.finditer(re.sub(r"{#.*?#}", "", file.read_text(), flags=re.DOTALL))
    ] == []


def test_what_was_sent_makes_no_arguments() -> None:
    """`url_for` and its like take some names for their own; `url_with` and `url_with_query` put
    a query together."""
    spread = re.compile(r"\*\*\s*request\.(args|form|values|json|headers|cookies)")
    files = (*python_files(), *sorted((ROOT / "portal" / "templates").rglob("*.html")))
    assert [where(file) for file in files if spread.search(file.read_text())] == []


def test_where_a_request_came_from_is_read_in_one_place() -> None:
    assert [
        where(file)
        for file in python_files("web")
        if "htmx.current_url" in file.read_text() and file.name != "input.py"
    ] == []


def test_every_way_out_is_that_of_a_tenant() -> None:
    """What is opened to one tenant must be open to no other."""
    assert [
        where(file)
        for file in python_files()
        if re.search(r"""extensions\["gateways?"\]|\bDoors?\(""", file.read_text())
        and where(file) not in ("portal/core.py", "portal/services/integrations/networks.py")
        and not where(file).startswith("portal/egress/")
    ] == []
