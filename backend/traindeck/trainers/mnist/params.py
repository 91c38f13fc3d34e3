"""What can be chosen for a run of the ConvNet trainer. The launch form is made from these fields."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError


def _place(group: str, unit: str | None = None, *, advanced: bool = False) -> dict[str, Any]:
    """Where the launch form shows a field: under which heading, with which unit, folded away or not."""
    place: dict[str, Any] = {"group": group}
    if unit is not None:
        place["unit"] = unit
    if advanced:
        place["advanced"] = True
    return place


class MnistParams(BaseModel):
    """Parameters of one run; every one has a default, so `{}` is a complete launch."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)

    dataset: Literal["MNIST", "FashionMNIST", "CIFAR10", "folder"] = Field(
        "MNIST",
        title="Data set",
        description="Handwritten digits, clothes, small colour photographs, or a folder of your own images.",
        json_schema_extra=_place("Data"),
    )
    folder: str = Field(
        "",
        title="Folder of images",
        description=(
            "For the data set “folder”: a path, absolute or below the deck's datasets folder, with one folder"
            " of images for each class, or train/ and validation/ with such folders each."
        ),
        max_length=1000,
        validate_default=True,
        json_schema_extra=_place("Data"),
    )
    image_size: int = Field(
        32,
        title="Image size",
        description="For the data set “folder”: width and height that images are scaled to.",
        ge=8,
        le=256,
        json_schema_extra=_place("Data", "pixels", advanced=True),
    )
    epochs: int = Field(
        3,
        title="Epochs",
        description="How many times to go through all training images.",
        ge=1,
        le=1000,
        json_schema_extra=_place("Training"),
    )
    batch_size: int = Field(
        64,
        title="Batch size",
        description="Images for each optimizer step.",
        ge=1,
        le=8192,
        json_schema_extra=_place("Training", "images"),
    )
    max_steps: int = Field(
        0,
        title="Limit of steps",
        description="Stop after this many optimizer steps, even within an epoch; 0 is no limit.",
        ge=0,
        le=1_000_000_000,
        json_schema_extra=_place("Training", "steps", advanced=True),
    )
    seed: int = Field(
        42,
        title="Seed",
        description="The same seed gives the same run on a CPU.",
        ge=0,
        le=2**31 - 1,
        json_schema_extra=_place("Training"),
    )
    device: Literal["auto", "cpu", "cuda"] = Field(
        "auto",
        title="Device",
        description="“auto” takes a GPU if the run holds one, and the CPU otherwise.",
        json_schema_extra=_place("Training"),
    )
    precision: Literal["float32", "bfloat16", "float16"] = Field(
        "float32",
        title="Precision",
        description="The two shorter ones are mixed precision: faster on most GPUs, seldom on a CPU.",
        json_schema_extra=_place("Training", advanced=True),
    )
    channels_last: bool = Field(
        True,
        title="Channels last",
        description="Keep the channels of a pixel together in memory, which most devices compute faster with.",
        json_schema_extra=_place("Training", advanced=True),
    )
    optimizer: Literal["adam", "adamw", "sgd"] = Field(
        "adamw",
        title="Optimizer",
        description="SGD runs with Nesterov momentum 0.9, and wants a learning rate about ten times larger.",
        json_schema_extra=_place("Optimization"),
    )
    lr: float = Field(
        2e-3,
        title="Learning rate",
        description="The largest one: the warm-up leads up to it, the schedule down from it.",
        gt=0,
        le=10,
        json_schema_extra=_place("Optimization"),
    )
    scheduler: Literal["exponential", "cosine", "constant"] = Field(
        "exponential",
        title="Learning rate schedule",
        description=(
            "Exponential falls by the decay in each epoch, however many follow; cosine falls to zero at the last step."
        ),
        json_schema_extra=_place("Optimization"),
    )
    decay: float = Field(
        0.5,
        title="Decay for each epoch",
        description="For the exponential schedule: what one epoch multiplies the learning rate by.",
        gt=0,
        le=1,
        json_schema_extra=_place("Optimization", advanced=True),
    )
    warmup_steps: int = Field(
        200,
        title="Warm-up",
        description="The learning rate rises from zero over this many steps.",
        ge=0,
        le=1_000_000,
        json_schema_extra=_place("Optimization", "steps", advanced=True),
    )
    weight_decay: float = Field(
        0.01,
        title="Weight decay",
        description="How strongly weights are pulled towards zero.",
        ge=0,
        le=1,
        json_schema_extra=_place("Optimization"),
    )
    dropout: float = Field(
        0.1,
        title="Dropout",
        description="Share of the features that are left out at random before the first linear layer.",
        ge=0,
        lt=1,
        json_schema_extra=_place("Optimization"),
    )
    log_every: int = Field(
        50,
        title="Log every",
        description="How often loss, accuracy, learning rate and speed are written.",
        ge=1,
        le=1_000_000,
        json_schema_extra=_place("Logging", "steps"),
    )
    histogram_every: int = Field(
        500,
        title="Histograms every",
        description="How often the distributions of weights and gradients are written; 0 is never.",
        ge=0,
        le=1_000_000_000,
        json_schema_extra=_place("Logging", "steps"),
    )
    checkpoint_every: int = Field(
        500,
        title="Checkpoint every",
        description="How often a checkpoint is saved within an epoch; 0 is only at the end of each epoch.",
        ge=0,
        le=1_000_000_000,
        json_schema_extra=_place("Checkpoints", "steps"),
    )

    @field_validator("folder")
    @classmethod
    def _goes_with_its_data_set(cls, folder: str, info: ValidationInfo) -> str:
        if info.data.get("dataset") == "folder" and not folder.strip():
            raise PydanticCustomError("folder_missing", 'the data set "folder" needs the path of its images')
        return folder
