"""NS5xx: a ledger, the claims of a paper as data."""

from netspec.diagnostics.catalogue.code import Code

CODES = (
    Code(
        "NS501",
        "an unknown ledger",
        "`ledger:` in a spec, or `--against`, names a built-in ledger or a file: beside the spec, or in this folder.",
        "Take the suggestion, or check the path.",
    ),
    Code(
        "NS502",
        "an unknown measure",
        "`measure` says what is computed to check a claim: `parameters`, `shape`, `layer.stride` and so on.",
        "Take the suggestion; the ledger's reference lists all measures.",
    ),
    Code(
        "NS503",
        "a layer that the ledger does not list",
        "A ledger names its layers once, under `layers`, so that it can be checked against nets that call them"
        " differently. `of` takes these names.",
        "Take the suggestion, or add the layer to `layers`.",
    ),
    Code(
        "NS504",
        "a measure with the wrong keys",
        "Each measure takes certain keys: some need layers in `of`, some a `device` or a `type`, most take none"
        " of these.",
        "Add or remove the key in the message.",
    ),
    Code(
        "NS505",
        "a row that contradicts itself",
        "The `status` of a row says what else it has: `erratum` needs `actual`, `differs` needs `source`, a row"
        " that no compiler can check has no `measure`, every other one has `measure` and `expected`.",
        "Add or remove the key in the message.",
    ),
    Code(
        "NS506",
        "two rows of one name",
        "Rows are named in reports and on the command line, so each `id` stands once.",
        "Give one of them another id.",
    ),
    Code(
        "NS507",
        "a claimed value that cannot be compared",
        "The values must be as many as the layers in `of`, or one for all; numbers where the measure is a number;"
        " and only numbers can be rounded.",
        "Write the values as the measure gives them.",
    ),
    Code(
        "NS508",
        "not a ledger that can be read",
        "It is written in another version of the ledger's language, or has no rows and so checks nothing.",
        "Begin with `ledger: 1`, and give it rows.",
    ),
    Code(
        "NS509",
        "a claim that the net does not keep",
        "A row of the ledger FAILS: what the net computes is neither what the paper says nor a known exception.",
        "The causes say which value leads to it. Change the spec, or the ledger if the claim is wrong.",
    ),
)
