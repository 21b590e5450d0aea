"""NS2xx: the words of the language, key by key and value by value."""

from netspec.diagnostics.catalogue.code import Code

CODES = (
    Code(
        "NS201",
        "an unknown key",
        "A key that the mapping does not have. Ignoring it would be worse: a misspelt `strde` would silently"
        " leave the stride at 1.",
        "Take the suggestion, or see `netspec explain conv` for the keys of a type.",
    ),
    Code(
        "NS202",
        "a required key is missing",
        "Some keys have no default, because no value is right for most nets: a convolution's `filters` and"
        " `size`, the input's `size`.",
        "Add the key. What the layers of a type share may stand under `defaults:`.",
    ),
    Code(
        "NS203",
        "a value of the wrong kind",
        "Text where a number belongs, a list where one value belongs, and so on. Scalars are read by YAML 1.2:"
        ' `1e-4` is a number, `no` is a text, only `true` and `false` are booleans, and `"3"` in quotes is a text.',
        "Write the kind of value that the message names.",
    ),
    Code(
        "NS204",
        "a number out of range",
        "The number is of the right kind, but no such stride, rate or size makes sense.",
        "Choose one within the bounds in the message.",
    ),
    Code(
        "NS205",
        "not one of the choices",
        "The key takes one of a few words. They are words because frameworks differ in just these choices, and a"
        " number or a flag would hide which.",
        "Choose one of the words in the message.",
    ),
    Code(
        "NS206",
        "an unknown layer type",
        "Every layer has a `type`, which says what it computes. Types are called as in cuda-convnet where it has them.",
        "Take the suggestion. `netspec schema` and the language's reference list all types.",
    ),
    Code(
        "NS207",
        "not a name",
        "Names become Python attributes, ONNX values and file names, so they are ASCII: a letter, then letters,"
        " digits and `_` (in a net's name also `-`), at most 64. A letter of another script that looks the same is"
        " named.",
        "Rename it.",
    ),
    Code(
        "NS208",
        "a name that is taken",
        "The generated module is Python that a person reads: a layer called `class`, `forward` or `torch` would"
        " break it or hide what is there.",
        "Choose another name; the message suggests one.",
    ),
    Code(
        "NS209",
        "a list of the wrong length",
        "A size is one number or [height, width], a pad one or [top, left, bottom, right], a mean one number a"
        " channel.",
        "Write one value, or as many as the message says.",
    ),
    Code(
        "NS210",
        "another version of the language",
        "`netspec: 1` says which version of the language the file is written in. A newer file may mean something"
        " else by the same words, so it is not guessed at.",
        "Update netspec, or write the file in version 1.",
    ),
    Code(
        "NS211",
        "not a neuron",
        "The activation is a word, some with numbers in brackets: `relu`, `tanh[1.7159, 0.6667]`, `brelu[6]`. The"
        " numbers must be as many as its formula has.",
        'Take the suggestion. In flow style, quote a neuron with a comma: `neuron: "tanh[1.7, 0.67]"`.',
    ),
    Code(
        "NS212",
        "not an override",
        "`--set` takes PATH=VALUE, where PATH is the keys that lead to a value, with dots between.",
        "For instance `--set layers.conv1.filters=64` or `--set train.batch=64`.",
    ),
    Code(
        "NS215",
        "a layer without a type",
        "The type says what a layer computes and which keys it has, so nothing else of the layer can be checked.",
        "Add `type:`.",
    ),
    Code(
        "NS216",
        "no way to start weights",
        "Weights start as a number (the standard deviation of a normal distribution, as in the paper), or as"
        " `normal[s]`, `uniform[a]`, `constant[c]`, `xavier`, `he` or `bilinear`.",
        "Write one of these.",
    ),
    Code(
        "NS217",
        "settings that contradict each other",
        "Two keys of `data` or `train` that cannot both hold: a crop that is not the input's size, a resize"
        " smaller than the crop, a schedule's key that another schedule has no use for.",
        "Change or remove one of the two.",
    ),
    Code(
        "NS218",
        "a key without effect (warning)",
        "The key is legal and does nothing here: defaults of a type that no layer has, the start value of a bias"
        " that is switched off, the initial weights of a layer that uses another's. Nothing is refused, but it was"
        " probably meant to do something.",
        "Remove the key, or add what it needs.",
    ),
)
