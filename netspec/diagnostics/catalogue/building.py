"""NS6xx: what only a build or a training run finds, from a spec and the files that it names."""

from netspec.diagnostics.catalogue.code import Code

CODES = (
    Code(
        "NS605",
        "labels that do not fit the outputs",
        "The net has another number of outputs than there are labels, so names would stand beside the wrong"
        " probabilities.",
        "One label for each output, in the order of the outputs.",
    ),
    Code(
        "NS606",
        "a net that `train` cannot train",
        "Training reads pictures of one or three colours, takes the loss of the first output's scores, and changes the"
        " weights whose rate is not 0. This net lacks one of these.",
        "What the message names. Of several outputs training learns from the first alone: what only others need keeps"
        " its first weights. `build` needs none of it: the generated module can be trained by other code.",
    ),
)
