"""NS7xx: an experiment, nets that are trained to be compared."""

from netspec.diagnostics.catalogue.code import Code

CODES = (
    Code(
        "NS701",
        "an experiment of another version",
        "It is written in another version of the experiments' language, so its keys may mean something else.",
        "Begin with `experiment: 1`.",
    ),
    Code(
        "NS702",
        "a run without a net",
        "Each run of an experiment trains a net: the one that its `spec` names, or that of the whole experiment, either"
        " a built-in spec or a file beside the experiment.",
        "Name a spec; `netspec init --list` shows the built-in ones.",
    ),
    Code(
        "NS703",
        "not one measure",
        "What is compared is one number for each run: the epochs until an error is reached, the least error, or the"
        " last.",
        "Write one of `epochs_to`, `best` and `last`.",
    ),
    Code(
        "NS704",
        "a run that the experiment has not",
        "What a paper says is compared with the runs that it names: one that is better than others.",
        "Take the suggestion, or add the run.",
    ),
    Code(
        "NS705",
        "a layer that cannot be taken out",
        "`without` removes layers of a spec, and what read one then reads its input. So the layer must be there, and it"
        " must read one layer only.",
        "Take the suggestion, or set the `inputs` of the layers behind it.",
    ),
    Code(
        "NS706",
        "two values for one key of a run",
        "`set` gives a run one value, `try` several of which the best counts. A key has either.",
        "Remove one of the two.",
    ),
)
