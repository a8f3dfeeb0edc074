"""A capability has one name in every layer, files are small, and names say something."""

import ast
import re
import statistics
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SRC = ROOT / "src"
DOMAIN = SRC / "omni_core" / "domain"

MEDIAN_FILE_LINES = 100
LONGEST_FILE_LINES = 400
LONGEST_FUNCTION_LINES = 60
LONGEST_CONTROLLER_METHOD_LINES = 15

FORBIDDEN_WORDS = {"util", "utils", "helper", "helpers", "common", "misc", "manager", "base", "impl"}
FORBIDDEN_PREFIX = re.compile(r"^(Abstract[A-Z]|I[A-Z][a-z])")

# Where each context is found under its own name. A test folder may hold one file or many.
ROOMS_OF_A_CONTEXT = (
    "src/omni_core/bootstrap/containers/{context}.py",
    "src/omni_http/controllers/{context}.py",
    "src/omni_cli/commands/{context}.py",
    "tests/unit/{context}",
    "docs/contexts/{context}.md",
)


def python_files(*folders: str) -> list[Path]:
    return sorted(path for folder in folders for path in (ROOT / folder).rglob("*.py"))


def line_count(path: Path) -> int:
    return len(path.read_text(encoding="utf-8").splitlines())


def contexts() -> list[str]:
    packages = {path.parent.name for path in DOMAIN.glob("*/__init__.py")}
    modules = {path.stem for path in DOMAIN.glob("*.py")}
    return sorted((packages | modules) - {"__init__", "kernel"})


def functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def body_lines(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines of the body; signature, decorators and docstring are description, not work."""
    body = function.body[1:] if ast.get_docstring(function) is not None else function.body
    if not body:
        return 0
    return (body[-1].end_lineno or body[-1].lineno) - body[0].lineno + 1


def words(name: str) -> set[str]:
    """`PoolManager` and `pool_manager` are both {"pool", "manager"}."""
    return {word.lower() for word in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+", name)}


def where(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def test_files_are_small_by_the_median() -> None:
    sizes = [size for path in python_files("src") if (size := line_count(path))]
    assert statistics.median(sizes) <= MEDIAN_FILE_LINES


def test_no_file_is_long() -> None:
    files = python_files("src", "tests", "examples", "benchmarks")
    assert {where(path): size for path in files if (size := line_count(path)) > LONGEST_FILE_LINES} == {}


def test_no_function_is_long() -> None:
    long = {
        f"{where(path)}:{function.lineno} {function.name}": body_lines(function)
        for path in python_files("src")
        for function in functions(path)
        if body_lines(function) > LONGEST_FUNCTION_LINES
    }
    assert long == {}


def test_controller_methods_parse_call_and_return() -> None:
    long = {
        f"{where(path)}:{function.lineno} {function.name}": body_lines(function)
        for path in python_files("src/omni_http/controllers")
        for function in functions(path)
        if body_lines(function) > LONGEST_CONTROLLER_METHOD_LINES
    }
    assert long == {}


def test_controllers_import_no_storage() -> None:
    found = [
        f"{where(path)}: {node.module}"
        for path in python_files("src/omni_http/controllers")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("omni_core.adapters")
    ]
    assert found == []


def test_files_are_named_for_what_they_hold() -> None:
    files = python_files("src", "tests", "examples", "benchmarks")
    named_for_nothing = [
        where(path)
        for path in files
        if any(words(part) & FORBIDDEN_WORDS for part in path.relative_to(ROOT).with_suffix("").parts)
    ]
    assert named_for_nothing == []


def test_classes_are_named_for_what_they_are() -> None:
    named_for_nothing = [
        f"{where(path)}:{node.lineno} {node.name}"
        for path in python_files("src", "tests", "examples", "benchmarks")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ClassDef) and (words(node.name) & FORBIDDEN_WORDS or FORBIDDEN_PREFIX.match(node.name))
    ]
    assert named_for_nothing == []


def test_randomness_comes_through_its_port() -> None:
    found = [
        where(path)
        for path in python_files("src")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if (isinstance(node, ast.Import) and any(alias.name == "random" for alias in node.names))
        or (isinstance(node, ast.ImportFrom) and node.module == "random")
    ]
    assert found == []


def test_the_contexts_are_the_ones_that_the_other_tests_walk() -> None:
    assert {"billing", "llm", "metering", "tenancy"} <= set(contexts())


@pytest.mark.parametrize("context", contexts())
@pytest.mark.parametrize("room", ROOMS_OF_A_CONTEXT)
def test_a_context_has_its_one_name_in_every_layer(context: str, room: str) -> None:
    path = ROOT / room.format(context=context)
    assert path.exists()
    assert path.is_file() or list(path.glob("test_*.py"))


@pytest.mark.parametrize("context", contexts())
def test_a_context_speaks_through_its_api(context: str) -> None:
    package = DOMAIN / context
    if not package.is_dir():
        return  # a context of one module is its own api
    assert (package / "api.py").is_file()
    statements = ast.parse((package / "__init__.py").read_text(encoding="utf-8")).body
    assert all(isinstance(statement, ast.Expr) for statement in statements), "__init__.py holds a docstring only"


def test_worker_handlers_and_wire_formats_belong_to_a_context() -> None:
    named = [
        path
        for folder in ("omni_workers/handlers", "omni_http/wire", "omni_core/bootstrap/containers")
        for path in (SRC / folder).glob("*.py")
        if path.stem not in {"__init__", "root", "platform"}
    ]
    # `llm_answers` belongs to llm: a wire format may be split, as a service may.
    assert [where(path) for path in named if path.stem.partition("_")[0] not in contexts()] == []
