"""The import contracts in pyproject.toml hold, and they name what they have to name."""

import re
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import Any

import pytest
from importlinter import configuration
from importlinter.application import use_cases

ROOT = Path(__file__).parents[2]
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def contract(name: str) -> dict[str, Any]:
    (found,) = [c for c in PYPROJECT["tool"]["importlinter"]["contracts"] if c["id"] == name]
    return dict(found)


def distributions_of_the_project() -> set[str]:
    project = PYPROJECT["project"]
    extras = [requirement for extra in project["optional-dependencies"].values() for requirement in extra]
    names = {re.split(r"[\[<>=!~; ]", requirement)[0] for requirement in [*project["dependencies"], *extras]}
    return {canonical(name) for name in names} - {canonical(project["name"])}


def canonical(distribution: str) -> str:
    return re.sub(r"[-_.]+", "-", distribution).lower()


def test_the_contracts_hold(capsys: pytest.CaptureFixture[str]) -> None:
    configuration.configure()
    held = use_cases.lint_imports(config_filename=str(ROOT / "pyproject.toml"), cache_dir=None, no_logo=True)
    assert held, capsys.readouterr().out


def broken_by(capsys: pytest.CaptureFixture[str], tmp_path: Path, **changes: str) -> str:
    """Check the contracts with some of their words changed, and return what is told of those that then break."""
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    for before, after in changes.items():
        assert text.count(before) == 1
        text = text.replace(before, after)
    changed = tmp_path / "pyproject.toml"
    changed.write_text(text, encoding="utf-8")
    configuration.configure()
    assert not use_cases.lint_imports(config_filename=str(changed), cache_dir=None, no_logo=True)
    return capsys.readouterr().out.partition("Broken contracts")[2]


def test_a_context_has_to_choose_its_floor(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    told = broken_by(capsys, tmp_path, **{": (metering) :": ":"})
    assert "A context imports contexts of its own floor or below" in told
    assert "metering" in told


def test_a_context_imports_none_of_a_higher_floor(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    raised = {": (metering) :": ":", '"(billing) : (subscriptions)': '"(billing) : (metering) : (subscriptions)'}
    told = " ".join(broken_by(capsys, tmp_path, **raised).split())
    assert "omni_core.domain.llm is not allowed to import omni_core.domain.metering" in told


@pytest.mark.parametrize(
    "exception",
    [
        '"omni_core.adapters.postgres.billable_usage -> omni_core.adapters.postgres.metering"',
        '"omni_core.adapters.memory.metering -> omni_core.adapters.memory.budgets"',
    ],
)
def test_siblings_are_independent_but_for_named_exceptions(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, exception: str
) -> None:
    told = broken_by(capsys, tmp_path, **{f"  {exception},\n": ""})
    first, _, second = exception.strip('"').partition(" -> ")
    assert f"{first} is not allowed to import" in told
    assert second in " ".join(told.split())


def test_every_distribution_but_msgspec_is_forbidden_in_the_domain() -> None:
    modules_of_distribution: dict[str, set[str]] = {}
    for module, distributions in packages_distributions().items():
        for distribution in distributions:
            if module.isidentifier() and not module.startswith("_"):
                modules_of_distribution.setdefault(canonical(distribution), set()).add(module)
    wanted = {
        module
        for distribution in distributions_of_the_project() - {"msgspec"}
        for module in modules_of_distribution[distribution]
    }
    assert wanted - set(contract("domain-purity")["forbidden_modules"]) == set()


def test_every_shipped_package_is_under_contract() -> None:
    shipped = {Path(p).name for p in PYPROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]}
    assert shipped == set(PYPROJECT["tool"]["importlinter"]["root_packages"])
    assert shipped == {path.parent.name for path in (ROOT / "src").glob("*/__init__.py")}
