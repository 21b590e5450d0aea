"""NS4xx: which device computes what."""

from netspec.diagnostics.catalogue.code import Code

CODES = (
    Code(
        "NS401",
        "channels that do not split evenly",
        "`gpu: [0, 1]` gives each device an equal, consecutive part of the layer's output channels. A layer"
        " without `gpu` is where its first input is, so the list may stand further up.",
        "Take a number of channels that the number of devices divides, or put the layer on one device.",
    ),
    Code(
        "NS402",
        "groups across a cut",
        "The parts of a layer on several devices must be whole groups, or each group must hold whole parts;"
        " otherwise a device would need pieces of two groups.",
        "Make one of `groups` and the number of devices divide the other.",
    ),
    Code(
        "NS403",
        "a device twice",
        "The output of a layer is split over the devices in the list, so each can be named only once.",
        "Name each device once. For several layers on one device nothing is needed.",
    ),
    Code(
        "NS404",
        "shared weights on other devices",
        "A weight that two layers share is stored once, so both must be on the same devices, split in the same way.",
        "Give both layers the same `gpu`.",
    ),
    Code(
        "NS405",
        "a name that a part has",
        "On several devices, the parts of `conv1` are called `conv1_0`, `conv1_1` and so on in the generated"
        " module. A layer of that name would be written over.",
        "Rename the layer that the message points at.",
    ),
    Code(
        "NS406",
        "too many steps between devices",
        "Where every device reads from every other, the number of transfers grows with the square of the devices."
        " Above 10,000 steps neither the compiler nor the machine would be quick.",
        "Use fewer devices, or `groups` so that each reads its own part.",
    ),
    Code(
        "NS407",
        "a part that nothing reads",
        "The output channels of a layer are split over devices, and all that its readers take, such as the range of a"
        " `slice`, are on others. One device would compute its part for nothing.",
        "Make the layer without the channels that nothing reads, or put it, or its reader, on one device.",
    ),
)
