"""`certrecon schema`."""

from typing import Annotated

import typer

from reconciler.errors import UsageError


def schema(
    name: Annotated[str | None, typer.Argument(metavar="[NAME]", help="Which; without it, the names of all.")] = None,
) -> None:
    """Print a JSON Schema: of the files that people write, of plans, and of results.

    Exit codes: 0 printed; 64 there is no such schema.

    Examples: `certrecon schema`; `certrecon schema certificate`.
    """
    from reconciler.desired.schema import schema_names, schema_text

    names = schema_names()
    if name is None:
        typer.echo("\n".join(names))
    elif name in names:
        typer.echo(schema_text(name), nl=False)
    else:
        raise UsageError(f'There is no schema "{name}". Choose one of: {", ".join(names)}.')
