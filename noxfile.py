"""What a contributor runs, and .ci/run: `nox -s NAME`, in the environment that is active."""

import nox

LOWEST = [
    "tests/cost",
    "tests/compress/test_plan.py",
    "tests/compress/test_space.py",
    "tests/study/test_study.py",
    "tests/docs/test_pages.py",
    "tests/deploy/test_export.py",
]
"""Quick tests, of which some run whatever has a lowest version."""

nox.options.default_venv_backend = "none"
nox.options.sessions = ["lint", "tests"]


@nox.session
def lint(session: nox.Session) -> None:
    """Rules, format and types, of the package and of the helpers of the tests."""
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")
    session.run("mypy")


@nox.session
def tests(session: nox.Session) -> None:
    """The quick tests."""
    session.run("pytest", *session.posargs)


@nox.session
def full(session: nox.Session) -> None:
    """The quick and the long tests, as .ci/run runs them."""
    session.run("pytest", "-m", "full or not full", "--hypothesis-profile=full", *session.posargs)


@nox.session
def coverage(session: nox.Session) -> None:
    """The quick tests, and what they do not reach, least first."""
    session.run("pytest", "-n", "2", "--cov", "--cov-report=", *session.posargs)
    session.run("coverage", "report", "--sort=cover")


@nox.session
def docs(session: nox.Session) -> None:
    """The site, where a warning is an error."""
    session.run("sphinx-build", "-W", "-q", "docs", "build/docs")


@nox.session(venv_backend="venv")
def lowest(session: nox.Session) -> None:
    """Quick tests with the lowest versions that pyproject allows, in an environment of its own."""
    session.install("--constraint", ".ci/lowest.txt", ".[test]")
    session.run("pytest", *(session.posargs or LOWEST))
