"""The checks of the Makefile in environments of their own, the tests on every supported Python."""

from pathlib import Path

import nox

PYTHONS = ["3.11", "3.12", "3.13"]
CHECKED = [path for path in ("src", "tests", "noxfile.py", "examples", "benchmarks") if Path(path).exists()]

nox.needs_version = ">=2025.10"
nox.options.default_venv_backend = "virtualenv"
nox.options.reuse_venv = "yes"
nox.options.sessions = ["lint", "types", "imports", "core", "tests", "docs"]


def install(session: nox.Session, *pins: str, omni: bool = True) -> None:
    """Install the pinned requirements, checked against their hashes, and Omni itself from this checkout."""
    requirements = [f"--requirement=requirements/{name}.txt" for name in pins]
    session.install("--require-hashes", *requirements)
    if omni:
        session.install("--no-index", "--no-deps", "--no-build-isolation", "--editable", ".")


@nox.session(python=PYTHONS[0])
def lint(session: nox.Session) -> None:
    """Check style and formatting."""
    install(session, "lint", omni=False)
    session.run("ruff", "check", *CHECKED)
    session.run("ruff", "format", "--check", *CHECKED)


@nox.session(python=PYTHONS[0])
def types(session: nox.Session) -> None:
    """Check types, strictly in src and leniently in tests."""
    install(session, "dev")
    session.run("mypy", *CHECKED)


@nox.session(python=PYTHONS[0])
def imports(session: nox.Session) -> None:
    """Check the import contracts of the architecture."""
    install(session, "lint", "build")
    session.run("lint-imports")


@nox.session(python=PYTHONS)
def core(session: nox.Session) -> None:
    """Import the library with nothing but the core's own requirements installed."""
    install(session, "core", "build")
    session.run("python", "-W", "error", "-c", "import omni_core, omni_core.domain; print(omni_core.Omni)")


@nox.session(python=PYTHONS)
def tests(session: nox.Session) -> None:
    """Run the whole suite; arguments after `--` go to pytest."""
    install(session, "dev")
    session.run("pytest", "-n", "2", "--dist", "loadfile", *session.posargs)


@nox.session(python=PYTHONS[0])
def docs(session: nox.Session) -> None:
    """Build the documentation, and check its links and its examples."""
    install(session, "dev")
    session.run("mkdocs", "build", "--strict")
    session.run("pytest", "-q", "tests/docs")


@nox.session(python=PYTHONS[0])
def crowd(session: nox.Session) -> None:
    """Copy a context 25 times in a scratch checkout, and run every check there (some fifteen minutes)."""
    scratch = Path(session.create_tmp()).resolve() / "checkout"
    session.run("rm", "-rf", str(scratch), external=True)
    install(session, "dev", "build")
    session.run("python", "-m", "tests.support.crowd", "make", str(scratch))
    session.chdir(scratch)
    session.install("--no-index", "--no-deps", "--no-build-isolation", "--editable", ".")
    # Lines that were repeated stand in the order of the copies, not in the alphabet's.
    session.run("ruff", "check", "--quiet", "--fix-only", *CHECKED)
    session.run("ruff", "format", "--quiet", *CHECKED)
    session.run("ruff", "check", *CHECKED)
    session.run("mypy", *CHECKED)
    session.run("lint-imports")
    session.run("python", "-m", "tests.support.crowd", "measure")
    session.run("pytest", "-q", "-n", "2", "--dist", "loadfile", *session.posargs)


@nox.session(python=PYTHONS[0])
def bench(session: nox.Session) -> None:
    """Run every benchmark in its short form; `-- --long` runs the long one."""
    install(session, "dev")
    mode = session.posargs or ["--short"]
    for script in sorted(Path("benchmarks").glob("[a-z]*.py")):
        session.run("python", str(script), *mode)
