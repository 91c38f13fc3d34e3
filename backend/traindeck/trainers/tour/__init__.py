"""The built-in tour of TensorBoard. Only its name and parameters are here: the rest loads where it runs."""

from pydantic import BaseModel, ConfigDict, Field

from traindeck.trainers.trainer import Trainer


class TourParams(BaseModel):
    """Parameters of one tour."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)

    steps: int = Field(
        20,
        title="Steps",
        description="How many positions TensorBoard's sliders get.",
        ge=1,
        le=1000,
        json_schema_extra={"group": "Training", "unit": "steps"},
    )
    seconds: float = Field(
        10.0,
        title="Duration",
        description="Over how long the steps are spread; 0 is as fast as they can be written.",
        ge=0,
        le=3600,
        json_schema_extra={"group": "Training", "unit": "seconds"},
    )
    seed: int = Field(
        0,
        title="Seed",
        description="The same seed draws the same pictures.",
        ge=0,
        le=2**31 - 1,
        json_schema_extra={"group": "Training", "advanced": True},
    )


trainer = Trainer(
    name="tour",
    title="Tour of TensorBoard",
    description=(
        "Trains nothing, and in about ten seconds writes one of every kind of summary, so that every tab of"
        " TensorBoard has something to show."
    ),
    params=TourParams,
    run="traindeck.trainers.tour.visit:run",
    extra="tour",
)
