"""A training run of a spec: what it needs is put together here, and its model written at its end. It prints nothing."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from netspec.build import MEASURED_LRN
from netspec.fit import LABEL_THEM, require_classes
from netspec.pipeline import Compiled
from netspec.seen import Seen
from netspec.spec.dump import spec_hash
from netspec.training import picture_recipe, training_recipe
from netspec_runtime.errors import DataError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from netspec.proof.parity import Parity
    from netspec_runtime.data.prepare import Options as PrepareOptions
    from netspec_runtime.data.prepared import PreparedData
    from netspec_runtime.preprocess import ViewCount
    from netspec_runtime.training.adopt import AdoptReport
    from netspec_runtime.training.job import Job, Options
    from netspec_runtime.training.net import TrainableNet
    from netspec_runtime.training.recipe import PictureRecipe
    from netspec_runtime.training.run import RunFolder
    from netspec_runtime.training.world import World

    Array = NDArray[np.float32]

HOLDOUT = 0.1  # of raw pictures without a test split


def prepare_options(compiled: Compiled, workers: int | None) -> PrepareOptions:
    """How raw pictures are prepared for a net: scaled to `data.resize`, or stretched to its input."""
    from netspec_runtime.data.prepare import Options

    spec = compiled.spec
    side = spec.data.resize
    height, width = spec.input.size
    stretch = None if side else (height, width)
    return Options(side=side, stretch=stretch, grey=spec.input.channels == 1, holdout=HOLDOUT, workers=workers)


def make_job(
    compiled: Compiled, data: PreparedData, net: TrainableNet, world: World, folder: RunFolder, options: Options
) -> Job:
    """The run of a net on data that fit it (`require_fit`). Raises SpecError for a net that cannot be trained."""
    from netspec_runtime.training.job import Job

    identity = {"spec": spec_hash(compiled.spec), "data set": data.digest}
    return Job(
        training_recipe(compiled),
        picture_recipe(compiled),
        data,
        compiled.classes,
        net,
        world,
        folder,
        identity,
        options,
    )


def tested_views(compiled: Compiled) -> ViewCount:
    """How many views of a picture the spec tests with."""
    return picture_recipe(compiled).test_views


def initial_weights(compiled: Compiled, adopted: Path | None) -> tuple[dict[str, Array], AdoptReport | None]:
    """The spec's initial values, and over them those of another net's file that fit. Raises DataError."""
    import numpy as np

    from netspec.weights import fill_initial

    arrays = {p.name: np.empty(p.parameter.dims, np.float32) for p in compiled.typed.parameters}
    fill_initial(compiled.typed, compiled.spec.seed, arrays)
    if adopted is None:
        return arrays, None
    from netspec_runtime.training.adopt import adopt

    return arrays, adopt(arrays, adopted)


def write_model(compiled: Compiled, data: PreparedData, folder: RunFolder) -> Parity:
    """model.onnx of the best weights, and the proof that it computes what the module does, parity.json.

    The net has its labels in its spec (`with_labels`), or takes the names of the data. Raises DataError, SpecError.
    """
    from netspec.backends.onnx.model import merged_graph, write_merged
    from netspec.proof.prove import prove
    from netspec.weights import fill_from_file

    seen = Seen.of_data(data)
    labels = compiled.spec.labels or data.classes
    if isinstance(labels, str):
        raise TypeError(f"the labels of {compiled.spec.name} are still in a file")
    graph = merged_graph(compiled.spec, compiled.merged, MEASURED_LRN, labels, seen)
    write_merged(folder.onnx, graph, lambda arrays: fill_from_file(compiled.typed, folder.best, arrays))
    parity = prove(compiled, folder.onnx, seen)
    folder.write("parity.json", parity.as_json())
    return parity


def require_fit(compiled: Compiled, data: PreparedData) -> None:
    """Refuse, before a run has a folder, a net that cannot be trained and data that are not for it.

    They must have the same number of classes, what both name in the same place, pictures as its spec prepares them, all
    with labels, and a mean image that a model can carry. Raises SpecError, DataError.
    """
    from netspec_runtime.data.manifest import UNLABELLED_NAMES
    from netspec_runtime.training.batches import TrainingBatches
    from netspec_runtime.training.crops import require_size

    recipe, pictures = training_recipe(compiled), picture_recipe(compiled)
    place = str(data.path)
    if "train" not in data.splits:
        raise DataError(place, "there are no training pictures", "prepare data that have some")
    require_classes(compiled, place, data.classes)
    count = data.unlabelled("train")
    if count:
        reason = f"{count:,} of its {len(data.splits['train']):,} training pictures have no label"
        listed = f" (see its {UNLABELLED_NAMES})" if (data.path / UNLABELLED_NAMES).is_file() else ""
        raise DataError(place, f"{reason}{listed}", LABEL_THEM)
    require_size(data, pictures.prepared, pictures.channels.planes, _other_size(data, pictures))
    TrainingBatches(data.splits["train"], data.statistics, pictures, recipe.batch, recipe.seed, 0, slice(0, 0))
    _require_spread(compiled, data)
    if compiled.spec.data.mean == "image":
        from netspec_runtime.card import CardError, MeanImage

        try:
            MeanImage.of(Seen(data.statistics.mean_image, ()).image(compiled.spec))
        except CardError as error:
            raise DataError(place, f"its {error}, too large for a model to carry", "write `mean: color`") from None


def _require_spread(compiled: Compiled, data: PreparedData) -> None:
    """Batch normalisation divides by the spread of a channel in a batch, and one number has none. Raises DataError."""
    from netspec_runtime.training.batches import global_batch

    shapes = {node.name: node.shape for node in compiled.typed.nodes if node.layer.type == "batchnorm"}
    alone = [name for name, shape in shapes.items() if shape.units == shape.channels]
    if alone and global_batch(len(data.splits["train"]), compiled.spec.train.batch) == 1:
        reason = f"each batch has one picture, and batch normalisation ({', '.join(alone)}) needs more"
        fix = "use more pictures" if compiled.spec.train.batch > 1 else "write a larger `train.batch`"
        raise DataError(str(data.path), reason, fix)


def _other_size(data: PreparedData, pictures: PictureRecipe) -> str:
    """What to do about pictures of another size: as they are, some can be what the net cuts its patches from."""
    height, width = data.size
    fix = "prepare their source with `netspec prepare --spec`"
    if height != width or height < max(pictures.crop) or data.channels != pictures.channels.planes:
        return fix
    return f"{fix}, or add --set data.resize={height}"
