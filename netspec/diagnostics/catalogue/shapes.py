"""NS3xx: how layers are wired, and whether what one makes fits what the next reads."""

from netspec.diagnostics.catalogue.code import Code

CODES = (
    Code(
        "NS301",
        "a name that no layer has",
        "`inputs` and `outputs` name layers of the file, or the input (`data` unless it says otherwise).",
        "Take the suggestion, or add the layer.",
    ),
    Code(
        "NS302",
        "a window does not fit",
        "The kernel or the pooling window, with its dilation, is larger than the padded input, so that it fits"
        " nowhere. The cause is usually further up: the `because` lines go from the layer's input back to the"
        " net's, each with its arithmetic.",
        "A smaller size, more padding, or a smaller stride on the way.",
    ),
    Code(
        "NS303",
        "a layer reads itself",
        "Following the inputs leads back to the layer. A net here is computed once, from the input on; recurrence"
        " is not part of the language.",
        "Remove one of the inputs in the circle.",
    ),
    Code(
        "NS304",
        "a dead end",
        "What nothing reads is the net's output. When there is more than one such layer, most of them are usually"
        " mistakes: a layer that was renamed, and one that still reads what stood before it.",
        "Let a layer read it, remove it, or name all outputs: `outputs: [probs, pool5]`. `train`"
        " wants the scores as the first of several: `outputs: [fc8, probs, pool5]`.",
    ),
    Code(
        "NS305",
        "maps are needed, and this is flat",
        "Convolution, pooling and normalisation read maps: channels of height times width. After an `fc` or"
        " `softmax` layer there are only units, without height and width.",
        "Put the layer before the first one with a flat output.",
    ),
    Code(
        "NS306",
        "groups that do not divide the channels",
        "With `groups: g`, the input channels and the filters are both cut into g equal parts, and filters of a"
        " part read only that part. Both numbers must be multiples of g. `filters` counts all of them, not one"
        " group's.",
        "Change `groups`, or the number of filters here or in the layer that makes the channels.",
    ),
    Code(
        "NS307",
        "inputs of shapes that do not go together",
        "`concat` needs one height and width, `eltsum`, `eltprod` and `eltmax` one shape altogether, the windows over"
        " the several inputs of one `conv` must give one size, and a `reshape` keeps the number of units. The"
        " `because` lines say how each came to its size.",
        "Change pad, stride or rounding on one of the ways, so that they meet; in a `reshape`, write -1 in one place.",
    ),
    Code(
        "NS308",
        "too many or too few inputs",
        "Most layers read one input. `conv`, `local` and `fc` read several with weights for each, `concat` and"
        " the elementwise layers are made for several.",
        "Name as many inputs as the message says.",
    ),
    Code(
        "NS309",
        "not one for each input",
        "`per_input` and `coefficients` are lists in the order of `inputs`, one entry for each.",
        "Write as many entries as there are inputs; `{}` in `per_input` where nothing differs.",
    ),
    Code(
        "NS310",
        "a setting that the layer cannot have",
        "An even blur has no centre, untied weights have no dilation in any of the original programs, one row or"
        " column cannot be resized, colours are three channels: there is no agreed meaning, so none is invented.",
        "Follow the help of the message.",
    ),
    Code(
        "NS311",
        "a pooling window outside the image",
        "The padding is as large as the window, or `start` skips the whole image, so that a window would see"
        " nothing of it and its maximum would be undefined; so with windows of channels.",
        "Less padding, or a `start` nearer to 0.",
    ),
    Code(
        "NS312",
        "a tensor too large",
        "One output or one weight would have more than 2,147,483,648 numbers, 8 GiB in float32.",
        "Fewer filters or outputs, or more stride and pooling before an `fc` layer.",
    ),
    Code(
        "NS313",
        "a crop or slice outside its input",
        "The rectangle that a `crop` takes from `start` on, `size` large, ends past the last row or column, or the"
        " `channels` that a `slice` takes from `start` on end past the last channel, or the `pad` of a"
        " `deconv` cuts off all of its output.",
        "A smaller `size`, number of `channels`, `start` or `pad`.",
    ),
    Code(
        "NS314",
        "weights that cannot be shared",
        "`share_weights` names a layer of the same type whose weights have just the dimensions that this layer"
        " needs, and which are its own. For a layer with several inputs, `conv1[1]` names the weights of the"
        " second.",
        "Name another layer, or make the two alike. Fully connected layers need inputs of one size.",
    ),
    Code(
        "NS316",
        "another number of classes",
        "`classes` is what the net is said to tell apart; the softmax that ends it has another number of outputs.",
        "Change `classes`, or `outputs` of the last `fc` layer.",
    ),
    Code(
        "NS318",
        "an output twice",
        "Each name in `outputs` becomes an output of the module and of the ONNX file, where names are unique.",
        "Name each output once.",
    ),
    Code(
        "NS317",
        "a layer with the name of the input",
        "The net's input has a name among the layers' (`data` unless `input.name` says otherwise), by which"
        " layers read it. A layer of the same name would hide it.",
        "Rename the layer, or the input: `input: {name: image, ...}`.",
    ),
    Code(
        "NS319",
        "connections to channels that are not there",
        "`connections` lists input channels by number, from 0 on: the channels of the first group, then those of the"
        " second, and so on, all groups equally many.",
        "Numbers below the channels of the input.",
    ),
)
