"""NS8xx: a layer file of another tool, read by `netspec import` or `netspec diff`."""

from netspec.diagnostics.catalogue.code import Code

CODES = (
    Code(
        "NS801",
        "not in the format of its tool",
        "The text cannot be read as what its name or its beginning promises: a section header, an option, a brace or a"
        " quote is missing. The place is where the reader gave up; the slip is there or just before.",
        "Compare the line with its neighbours. Old files are sometimes damaged by an editor or a download.",
    ),
    Code(
        "NS802",
        "a value that its tool would not take",
        "An option has a value of the wrong kind, or one that the format has no meaning for.",
        "Write one of the values that the message names.",
    ),
    Code(
        "NS803",
        "an option is missing",
        "The format has no default for this option of the layer, so its own tool would have refused the file too.",
        "Add the option. For cuda-convnet, rates and norms may stand in the parameter file: give it with `--params`.",
    ),
    Code(
        "NS804",
        "netspec has no way to say this",
        "Something that changes what the net computes has no counterpart in the language. The import stops rather than"
        " write another net; everything of this kind is listed in one run.",
        "`--lenient` leaves it out and goes on. Then compare the layers that it names.",
    ),
    Code(
        "NS805",
        "a layer or value that the file does not have",
        "A layer reads another by name, and nothing above it has that name.",
        "Take the suggestion, or move the layer below the one that it reads.",
    ),
    Code(
        "NS806",
        "a layer type that its tool does not have",
        "The type is none of the format's. A type of a private version of the tool cannot be known.",
        "Take the suggestion, or replace the layer by what it computes.",
    ),
    Code(
        "NS807",
        "files that make no net together",
        "An import takes the files of one net: a cuda-convnet pair, a Caffe net with its weights, solver and mean, an"
        " ONNX file, or weights for a spec.",
        "Name the files of one net.",
    ),
    Code(
        "NS808",
        "the file contradicts itself",
        "Two places of the file say different things: how many channels a layer reads, how many values an option has"
        " for its inputs, a shape that the layers before do not give.",
        "Compare the two places that the message names.",
    ),
)
