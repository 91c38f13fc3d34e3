"""The built-in tour of TensorBoard. Only its name and parameters are here: the rest loads where it runs."""

from traindeck.trainers.tour.params import TourParams
from traindeck.trainers.trainer import Trainer

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
