"""The domain is pure: the standard library and msgspec, nothing that knows the time or the disk."""

import ast
import json
import subprocess
import sys
from pathlib import Path

import pytest

DOMAIN = Path(__file__).parents[2] / "src" / "omni_core" / "domain"

# The standard library's ways to a clock, randomness, the environment, a log or I/O.
IMPURE_MODULES = {
    "asyncio.subprocess",
    "http",
    "logging",
    "os",
    "pathlib",
    "random",
    "secrets",
    "shutil",
    "socket",
    "sqlite3",
    "subprocess",
    "tempfile",
    "time",
    "urllib.request",
}
ALLOWED_PACKAGES = sys.stdlib_module_names | {"msgspec"}
IMPURE_NAMES = {
    "now",
    "today",
    "utcnow",
    "uuid1",
    "uuid4",
    "uuid6",
    "uuid7",
    "getenv",
    "open",
    "print",
    "input",
}

LOAD_EVERYTHING = """
import importlib, json, pkgutil, sys
before = set(sys.modules)
import omni_core.domain
for found in pkgutil.walk_packages(omni_core.domain.__path__, "omni_core.domain."):
    importlib.import_module(found.name)
print(json.dumps(sorted(set(sys.modules) - before)))
"""


def modules_loaded_with_the_domain() -> list[str]:
    ended = subprocess.run(
        [sys.executable, "-c", LOAD_EVERYTHING], capture_output=True, text=True, timeout=60, check=False
    )
    assert ended.returncode == 0, ended.stderr
    loaded: list[str] = json.loads(ended.stdout)
    return loaded


def test_loading_the_whole_domain_loads_only_the_standard_library_and_msgspec() -> None:
    loaded = modules_loaded_with_the_domain()
    assert "omni_core.domain.kernel.errors" in loaded
    # msgspec itself loads typing_extensions where it is installed; the domain may not, as the next test proves.
    allowed = ALLOWED_PACKAGES | {"typing_extensions"}
    own = {"omni_core", "omni_core.version"}
    strangers = [
        name
        for name in loaded
        if name.partition(".")[0] not in allowed
        and name not in own
        and not (name + ".").startswith("omni_core.domain.")
    ]
    assert strangers == []


@pytest.mark.parametrize("path", sorted(DOMAIN.rglob("*.py")), ids=lambda path: path.relative_to(DOMAIN).as_posix())
def test_the_domain_imports_no_third_party_clock_randomness_environment_log_or_io(path: Path) -> None:
    found = [
        f"line {node.lineno}: {reason}"
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Import | ast.ImportFrom | ast.Call)
        for reason in impurities(node)
    ]
    assert found == []


def impurities(node: ast.Import | ast.ImportFrom | ast.Call) -> list[str]:
    if isinstance(node, ast.Import):
        return [f"import {alias.name}" for alias in node.names if is_impure(alias.name)]
    if isinstance(node, ast.ImportFrom):
        module = node.module or ""
        names = [f"{module}.{alias.name}" for alias in node.names]
        return [f"from {module} import {node.names[0].name}"] if any(map(is_impure, [module, *names])) else []
    # A call on a port (`clock.now()`) is the way; a call on a class or module of the standard library is not.
    match node.func:
        case ast.Attribute(value=ast.Name(id=owner) | ast.Attribute(attr=owner), attr=name):
            return [f"{owner}.{name}()"] if owner in {"datetime", "date", "uuid"} and name in IMPURE_NAMES else []
        case ast.Name(id=name):
            return [f"{name}()"] if name in IMPURE_NAMES else []
        case _:
            return []


def is_impure(module: str) -> bool:
    if module.partition(".")[0] not in ALLOWED_PACKAGES | {"omni_core"}:
        return True
    return any(module == name or module.startswith(name + ".") for name in IMPURE_MODULES)
