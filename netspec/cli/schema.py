"""`netspec schema`: the language as a JSON schema for editors, or as its reference in Markdown. It reads no spec."""

from __future__ import annotations

import json
from enum import StrEnum
from typing import Annotated

import typer


class SchemaFormat(StrEnum):
    """What the language is printed as."""

    JSON = "json"
    MARKDOWN = "markdown"
    LEDGERS = "ledgers"


def schema(
    form: Annotated[
        SchemaFormat,
        typer.Option("--format", help="json: for editors. markdown: docs/language.md. ledgers: docs/ledgers.md."),
    ] = SchemaFormat.JSON,
) -> None:
    """Print the language: every key, type, bound and default.

    Editors check a spec as you write when its first line is
    `# yaml-language-server: $schema=./netspec.schema.json` and the schema lies beside it.
    """
    if form is SchemaFormat.MARKDOWN:
        from netspec.report.language import language_markdown

        typer.echo(language_markdown(), nl=False)
        return
    if form is SchemaFormat.LEDGERS:
        from netspec.ledger import ledger_reference

        typer.echo(ledger_reference(), nl=False)
        return
    from netspec.schema import schema_document

    typer.echo(json.dumps(schema_document(), indent=2, ensure_ascii=False))
