"""Commands for whoever writes skills: a new one, and what in one can't be replayed."""

from __future__ import annotations

from pathlib import Path

import click

from bot.cli.operator import Operator
from bot.scaffold import new_skill


@click.group()
def new() -> None:
    """Write something new."""


@new.command("skill")
@click.argument("name")
@click.pass_obj
def write_skill(operator: Operator, name: str) -> None:
    """Write a skill called NAME, and its passing test."""
    for file in new_skill(name, operator.root):
        click.echo(f"wrote {file.relative_to(operator.root)}")
    click.echo(f"\nTry it: python run.py chat, then /{name}. Its test runs with: make test")


@click.command("lint-skill")
@click.argument("path", type=click.Path(exists=True, path_type=Path))
def lint_skill(path: Path) -> None:
    """Look for what can't be replayed in a skill: clocks, randomness, I/O outside steps."""
    from bot.dialog.lint import lint  # noqa: PLC0415

    files = [path] if path.is_file() else sorted(path.rglob("*.py"))
    findings = [finding for file in files for finding in lint(file)]
    for finding in findings:
        click.echo(str(finding))
    if findings:
        raise click.exceptions.Exit(1)
    click.echo("Nothing to complain about.")
