"""NS6xx: what only a build finds, from a spec and the files that it names."""

from netspec.diagnostics.catalogue.code import Code

CODES = (
    Code(
        "NS605",
        "labels that do not fit the outputs",
        "The net has another number of outputs than there are labels, so names would stand beside the wrong"
        " probabilities.",
        "One label for each output, in the order of the outputs.",
    ),
)
