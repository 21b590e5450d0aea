"""What training saw and a model must carry with it: the mean of pictures, the names of classes. It reads none."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from netspec.spec.model import Spec

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from netspec_runtime.card import ModelCard
    from netspec_runtime.data.prepared import PreparedData


@dataclass(frozen=True, eq=False)
class Seen:
    """Measured on the training pictures, as `netspec_runtime.data.prepared` has them.

    ``mean_image`` is float32 [H, W, C] of the prepared pictures, ``mean_color`` a number for each channel; both in the
    order R, G, B (or one grey), on the scale 0 to 255. ``classes`` name the outputs where the spec names none.
    ``held_out_of`` says which raw pictures without a test split they were, or were a part of.
    """

    mean_image: NDArray[np.float32]
    mean_color: tuple[float, ...]
    classes: tuple[str, ...] = ()
    held_out_of: str = ""

    @classmethod
    def of_data(cls, data: PreparedData) -> Seen:
        """What the pictures in a prepared folder say."""
        statistics = data.statistics
        return cls(statistics.mean_image, tuple(statistics.mean_color.tolist()), data.classes, data.held_out_of)

    @classmethod
    def of_card(cls, card: ModelCard) -> Seen:
        """What a trained model carries: of its mean image the centre, zeros if it has none."""
        import numpy as np

        preparation = card.preprocessing
        step = -1 if preparation.channels == "bgr" else 1
        if preparation.mean_image is None:
            image = np.zeros((*preparation.crop, preparation.channels.planes), np.float32)
        else:
            image = preparation.mean_image.array.transpose(1, 2, 0)[:, :, ::step]
        return cls(np.ascontiguousarray(image), preparation.mean[::step], card.labels, card.held_out_of)

    def color(self, spec: Spec) -> tuple[float, ...]:
        """The mean colour in the order of the net's channels."""
        return self.mean_color[::-1] if spec.data.channels == "bgr" else self.mean_color

    def image(self, spec: Spec) -> NDArray[np.float32]:
        """The centre of the mean image, [channels, height, width] of the net's input, in the order of its channels.

        Every patch and reflection is less the same centre (paper 2), as in `netspec_runtime.training.pixels`.
        """
        import numpy as np

        from netspec_runtime.preprocess import corners

        (rows, columns), (height, width) = self.mean_image.shape[:2], spec.input.size
        top, left = corners((rows, columns), (height, width), 1)[0]
        centre = self.mean_image[top : top + height, left : left + width].transpose(2, 0, 1)
        return np.ascontiguousarray(centre[::-1] if spec.data.channels == "bgr" else centre, np.float32)
