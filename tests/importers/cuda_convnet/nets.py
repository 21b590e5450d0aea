"""Small nets as cuda-convnet's files have them, with every layer type, neuron and dialect. It tests nothing."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Net:
    """A pair of files and the side of the input."""

    definition: str
    params: str
    size: int


_DATA = """
[data]
type=data
dataIdx=0
[labels]
type=data
dataIdx=1
"""


def sections(text: str) -> str:
    """``name: type a=1 b=2`` a line, as sections of a file; `_` in a value is a blank."""
    lines = []
    for row in filter(None, map(str.strip, text.splitlines())):
        name, _, options = row.partition(":")
        kind, *rest = options.split()
        lines += [f"[{name}]", *([] if kind == "-" else [f"type={kind}"]), *(one.replace("_", " ") for one in rest)]
    return "\n".join(lines) + "\n"


def rates(*names: str, more: str = "") -> str:
    """Parameters of layers with weights, and of the cost."""
    rows = [f"{name}: - epsW=0.01 epsB=0.02 momW=0.9 momB=0.9 wc=0.0005" for name in names]
    return sections("\n".join([*rows, "logprob: - coeff=1", more]))


OF_2012 = Net(
    _DATA
    + sections(
        """
        blur0: blur inputs=data channels=3 filterSize=5 stdev=1.5 gpu=0
        nails0: nailbed inputs=blur0 channels=3 stride=2
        href0: href inputs=data channels=3 gpu=1
        conv1: conv inputs=data channels=3 filters=8 filterSize=4 stride=3 initW=0.1 partialSum=1 gpu=0
        conv2: conv inputs=nails0,conv1 channels=3,8 filters=6,3 filterSize=4,3 stride=2,1 padding=1,1 groups=1,2
                    initW=0.1,0.2 initB=1 partialSum=0 neuron=relu
        conv3: conv inputs=conv1 channels=8 filters=3 filterSize=2 groups=2 randSparse=1 filterChannels=4 initW=0.1
                    partialSum=0 sharedBiases=0 neuron=tanh[1.5,0.7]
        conv4: conv inputs=conv1,conv1 channels=8,8 filters=4,2 filterSize=3,3 padding=1,1 groups=2,4 randSparse=true,0
                    filterChannels=8,2 initW=0.1,0.1 partialSum=0 neuron=abs
        conv5: conv inputs=conv4 channels=8 filters=8 filterSize=3 padding=1 groups=1 initW=0.1 partialSum=0
        conv6: conv inputs=conv5,conv4 channels=8,8 filters=8,8 filterSize=3,3 padding=1,1 initW=0.1,0.1 partialSum=0
                    weightSource=conv5,conv6[0]
        local1: local inputs=conv1 channels=8 filters=2 filterSize=3 stride=2 padding=1 groups=2 initW=0.1
        lrn1: cmrnorm inputs=conv1 channels=8 size=5
        lrn2: cmrnorm inputs=conv1 channels=8 size=4
        lrn3: cmrnorm inputs=conv1 channels=8 size=3 blocked=1
        same1: rnorm inputs=conv1 channels=8 size=3
        contrast1: cnorm inputs=conv1 channels=8 size=3
        pool1: pool inputs=lrn1 channels=8 pool=max sizeX=3 stride=2 neuron=relu
        pool2: pool inputs=lrn2 channels=8 pool=avg sizeX=2 stride=2
        pool3: pool inputs=lrn3 channels=8 pool=maxabs sizeX=2 stride=2 start=-1
        pool4: pool inputs=same1 channels=8 pool=avg sizeX=3 stride=2 start=-2 outputsX=3
        pool5: pool inputs=contrast1 channels=8 pool=max sizeX=2 stride=1 outputsX=2 neuron=logistic
        pool6: pool inputs=contrast1 channels=8 pool=rand sizeX=2 stride=1 start=1
        pool7: pool inputs=href0 channels=3 pool=avg sizeX=3 stride=2 outputsX=7
        sum1: eltsum inputs=conv1,same1 coeffs=0.5,-2 neuron=square
        sum2: eltsum inputs=conv1,same1,lrn2
        large1: eltmax inputs=conv1,same1,contrast1
        both: concat inputs=pool1,pool2,pool7
        maps: concat inputs=conv1,same1 neuron=softrelu
        fc1: fc inputs=both,conv2,conv3 outputs=16 initW=0.1,0.1,0.2 neuron=brelu[0.8]
        fc2: fc inputs=conv6,local1,pool3,pool4,pool5,pool6 outputs=16 initW=0.1,0.1,0.1,0.1,0.1,0.1 initB=0.5
        fc3: fc inputs=maps,large1,sum1,sum2 outputs=16 initW=0.1,0.1,0.1,0.1 neuron=drelu[0.9] gpu=1
        drop1: hs inputs=fc1 keep=0.8
        drop2: hs inputs=fc2 keep=0.3
        drop3: hs inputs=fc3 keep=0.6 neuron=linear[0.5,1]
        small: neuron inputs=drop2 neuron=ident
        bent: neuron inputs=small neuron=linear[2,-1]
        again: conv inputs=bent channels=4 filters=3 filterSize=2 initW=0.1 partialSum=0
        mixed: eltsum inputs=drop1,drop3
        tree: treefc inputs=mixed initW=0.1
        fc10: fc inputs=again,tree outputs=10 initW=0.1,0.1 gpu=0
        probs: softmax inputs=fc10
        logprob: cost.logreg inputs=labels,probs gpu=0
        """.replace("\n                    ", " ")
    ),
    rates(
        *["conv1", "conv2", "conv3", "conv4", "conv5", "conv6", "local1", "fc1", "fc2", "fc3", "again", "tree", "fc10"],
        more="""
        lrn1: - scale=0.5 pow=0.75 minDiv=2
        lrn2: - scale=0.3 pow=0.6
        lrn3: - scale=0.5 pow=0.5 minDiv=0.25
        same1: - scale=0.9 pow=0.75
        contrast1: - scale=2 pow=0.75
        pool6: - doMax=true
        drop1: - enable=true
        drop2: - enable=false
        drop3: - enable=0
        """,
    ),
    13,
)

OF_2014 = Net(
    _DATA
    + sections(
        """
        yuv: rgb2yuv inputs=data
        lab: rgb2lab inputs=data center=1
        lab2: rgb2lab inputs=data
        half: resize inputs=yuv channels=3 scale=1.3
        part: crop inputs=lab channels=3 startX=2 startY=1 sizeX=8
        corner: crop inputs=lab2 channels=3 startX=3 sizeX=8
        whole: rscale inputs=data channels=3 maxScale=1.5 tgtSize=8
        middle: rscale inputs=data channels=3 maxScale=1.2 tgtSize=6
        conv1: conv inputs=whole,part channels=3 filters=6 filterSize=3 stride=2 padding=1 modulesX=6 initW=0.1
        conv2: conv inputs=conv1 channels=6 filters=6 filterSize=3 padding=1 groups=2 randSparse=1 initW=0.1 sumWidth=2
        conv3: conv inputs=conv1 channels=6 filters=12 filterSize=3 padding=1 initW=0.1 sumWidth=2 neuron=log[1000]
        cm: cmpool inputs=conv3 channels=12 size=3 stride=2 start=-1 outputs=6 pool=max
        same1: rnorm inputs=conv1 channels=6 size=2
        contrast1: cnorm inputs=conv1 channels=6 size=3
        pool1: pool inputs=conv1 channels=6 pool=avg sum=1 sizeX=3 stride=3
        sum1: eltsum inputs=conv1,same1,cm coeffs=5,5,5
        fc1: fc inputs=half,corner,middle,conv2 outputs=12 initW=0.1
        sfc1: sfc inputs=fc1,contrast1 outputs=4 parts=3 initW=0.1 neuron=relu
        sfc2: sfc inputs=pool1 outputs=3 parts=4 initW=0.1
        drop1: dropout inputs=fc1
        drop2: dropout2 inputs=sfc1
        drop3: dropout inputs=sfc2 neuron=relu
        all: pass inputs=drop1,drop2,drop3,sum1
        fc10: fc inputs=all outputs=10 initW=0.1
        probs: softmax inputs=fc10
        logprob: cost.logreg inputs=labels,probs gpu=0
        """
    ),
    rates(
        *["conv1", "conv2", "conv3", "fc1", "sfc1", "sfc2", "fc10"],
        more="""
        same1: - scale=0.9 pow=0.75 minDiv=2
        contrast1: - scale=2 pow=0.75 minDiv=0.5
        sum1: - coeffs=1,-0.5,2
        drop1: - enable=true keep=0.8
        drop2: - keep=0.8
        drop3: - enable=false
        whole: - year=2014
        middle: - year=2014
        """,
    ),
    12,
)

OF_2011 = Net(
    _DATA
    + sections(
        """
        conv1: conv inputs=data channels=3 filters=4 filterSize=3 padding=1 initW=0.1 partialSum=1
        rnorm1: rnorm inputs=conv1 channels=4 sizeX=3 scale=0.9 pow=.75
        lrn1: cmrnorm inputs=rnorm1 channels=4 sizeX=3 scale=0.5 pow=0.5
        middle: rscale inputs=lrn1 channels=4 maxScale=1.5 tgtSize=4
        fc10: fc inputs=middle outputs=10 initW=0.1 neuron=ident
        probs: softmax inputs=fc10
        logprob: cost.logreg inputs=labels,probs
        """
    ),
    rates("conv1", "fc10"),
    7,
)
NETS = {"2011": OF_2011, "2012": OF_2012, "2014": OF_2014}
