"""The reference of the ledger's language, from the classes themselves. It reads no ledger."""

from __future__ import annotations

from netspec.ledger.measures import MEASURES
from netspec.ledger.model import LedgerHeader, Row
from netspec.syntax.decode import keys_of
from netspec.syntax.keys import key_of, required

_INTRODUCTION = """# Ledgers

A ledger is a YAML file of claims: what a paper, or other code, says of a net. `netspec validate SPEC --against FILE`
computes each claim from the spec and says whether it holds; a spec may name its ledger with `ledger: FILE`, beside
it, or by the name of a built-in one (`specs/ledgers/`). A small one:

```yaml
ledger: 1
name: mine
layers: [conv1]
rows:
  - id: total
    where: "3.1"
    claim: The net has 12 thousand parameters
    measure: parameters
    expected: 12000
    rounds: 1000
  - {id: kernels, where: "3.1", claim: conv1 has 8 kernels, measure: layer.filters, of: conv1, expected: 8}
```

"""


def ledger_reference() -> str:
    """Markdown: what a ledger is, the keys of a ledger and of a row, then every measure with what it takes."""
    lines = ["## Keys of a ledger", "", *_keys(LedgerHeader), "", "## Keys of a row", "", *_keys(Row), ""]
    lines += ["## Measures", "", "| measure | of | options | what it is |", "|---|---|---|---|"]
    takes = {"net": "the net", "layers": "layers", "either": "layers, or the net", "two": "two layers"}
    for name, measure in sorted(MEASURES.items()):
        options = ", ".join(f"`{option}`" for option in measure.options)
        lines.append(f"| `{name}` | {takes[measure.takes]} | {options} | {measure.doc} |")
    return _INTRODUCTION + "\n".join(lines) + "\n"


def _keys(cls: type[LedgerHeader | Row]) -> list[str]:
    lines = ["| key | | what it is |", "|---|---|---|"]
    for name, field in keys_of(cls).items():
        info = key_of(field)
        doc = info.doc if info is not None else ""
        lines.append(f"| `{name}` | {'required' if required(field) else ''} | {doc} |")
    return lines
